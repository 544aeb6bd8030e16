import { randomUUID } from "node:crypto";
import { MessageSent } from "@chargemesh/contracts/email/v1/events";
import { JOURNAL } from "@chargemesh/kit/event-streams";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { readConfig as readChargerConfig } from "charger-service/src/config.ts";
import { start as startCharger } from "charger-service/src/start.ts";
import { readConfig as readGatewayConfig } from "gateway/src/config.ts";
import { start as startGateway } from "gateway/src/start.ts";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../tools/servers/free-port.ts";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { restOf } from "../rest.ts";
import { openCutter, seeded } from "./cutter.ts";
import { followGrpc, followSse, type Seen } from "./followers.ts";

const log = makeLogger("test", "silent");
const CUTS = 50;
const AMONG = 14;

let env: Env;
let token: string;
let nats: NatsConnection;

beforeAll(async () => {
  env = await startEnv();
  const { host, username, password } = new URL(env.nats.url);
  nats = await connect({ servers: host, user: username, pass: password });
  token = (await restOf(env.rest)("POST", "/auth/login", ADMIN)).body.accessToken;
});
afterAll(async () => {
  await nats?.close();
  await env?.stop();
});

/** Something that can be stopped and started again, at the same address. */
interface Restartable {
  address: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

async function restartable(start: (address: string, stack: Stack) => Promise<unknown>): Promise<Restartable> {
  const address = `127.0.0.1:${await freePort()}`;
  let stack = new Stack();
  await start(address, stack);
  const stop = () => stack.close(log);
  return {
    address,
    stop,
    async restart() {
      await stop();
      stack = new Stack();
      await start(address, stack);
    },
  };
}

/** A replica of charger-service and a gateway in front of it, beside those of `env`. */
async function startBeside(): Promise<{ service: Restartable; gateway: Restartable }> {
  const vars = { ...env.vars, AUTH_GRPC_TARGET: env.grpc.auth, EMAIL_GRPC_TARGET: env.grpc.email };
  const service = await restartable((CHARGER_GRPC_ADDRESS, stack) =>
    startCharger(readChargerConfig({ ...vars, CHARGER_GRPC_ADDRESS }), stack, log),
  );
  const gateway = await restartable((GATEWAY_ADDRESS, stack) =>
    startGateway(readGatewayConfig({ ...vars, GATEWAY_ADDRESS, CHARGER_GRPC_TARGET: service.address }), stack, log),
  );
  return { service, gateway };
}

/** Makes things happen: one in the database, told by charger-service, among many that are told as if by the others. */
async function happen(name: string): Promise<void> {
  const js = nats.jetstream();
  const tell = (subject: string) => {
    const type = MessageSent.$type;
    const event = { specversion: "1.0", id: randomUUID(), source: "a test", type, subject, time: new Date().toISOString(), data: {} };
    return js.publish(`${type}.x`, JSON.stringify(event));
  };
  for (let i = 0; i < AMONG; i++) await tell(`${name}-${i}`);
  expect((await restOf(env.rest, token)("POST", "/ocpp/idTokens", { idToken: name })).status).toBe(200);
}

test("readers that are cut 50 times, also by restarts of the service and the gateway, read what one reads that is never cut", async () => {
  const { service, gateway } = await startBeside();
  const random = seeded(20_261_123);
  // Whether it is amid the headers, amid an event or between two.
  const bytes = () => Math.floor(200 + random() * 2_500);
  const [toGateway, toService] = [await openCutter(gateway.address, CUTS, bytes), await openCutter(service.address, CUTS, bytes)];
  try {
    const { streams } = await nats.jetstreamManager();
    const way = { token, after: String((await streams.info(JOURNAL)).state.last_seq), last: "end" };
    const reading: Promise<Seen[]>[] = [
      followGrpc({ ...way, address: env.grpc.charger }),
      followSse({ ...way, address: toGateway.address }),
      followGrpc({ ...way, address: toService.address }),
      followSse({ ...way, address: gateway.address }),
    ];
    for (let i = 0; i < 10; i++) await happen(`a${i}`);
    await gateway.restart();
    for (let i = 0; i < 5; i++) await happen(`b${i}`);
    // What happens meanwhile is told when it is back.
    await Promise.all([service.restart(), happen("c")]);
    for (let i = 0; i < 5; i++) await happen(`d${i}`);
    // Cuts come after so many bytes, and how many bytes a reader is sent again depends on where it was cut.
    let more = 0;
    while (toGateway.cuts() < CUTS || toService.cuts() < CUTS) await happen(`e${more++}`);
    await happen("end");
    const [steady, ...others] = await Promise.all(reading);
    expect(steady).toHaveLength((22 + more) * (AMONG + 1));
    for (const seen of others) expect(seen).toEqual(steady);
  } finally {
    await Promise.all([toGateway.close(), toService.close()]);
    await gateway.stop();
    await service.stop();
  }
}, 60_000);
