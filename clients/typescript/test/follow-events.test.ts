import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../../../test/env.ts";
import type { Event } from "../dist/gen/chargemesh/charger/v1.js";
import { type Chargemesh, chargemesh, followEvents, passwordTokens, registry, restTransport } from "../dist/src/index.js";
import { transports } from "./transports.ts";

const TOKEN_SECONDS = 4;

let env: Env;
let admin: Chargemesh;
beforeAll(async () => {
  env = await startEnv({ ACCESS_TOKEN_SECONDS: String(TOKEN_SECONDS) });
  const transport = restTransport(env.rest);
  admin = chargemesh(transport, passwordTokens(transport, ADMIN));
});
afterAll(() => env.stop());

const add = (id: string) => admin.chargers.createCharger({ charger: { id } });

let added = 0;

/**
 * Adds chargers until an event about one of them comes, for while a stream is being opened nobody can say what it will show. Answers when.
 * More of them may come later.
 */
async function addUntilSeen(next: Promise<IteratorResult<Event, void>>, prefix: string): Promise<number> {
  for (;;) {
    await add(`${prefix}-${added++}`);
    const seen = await Promise.race([next, new Promise<undefined>((resolve) => setTimeout(resolve, 100))]);
    if (seen === undefined) continue;
    expect(seen.value?.subject).toMatch(prefix);
    return Date.now();
  }
}

describe.each(transports)("over %s", (name, transportTo) => {
  let client: Chargemesh;
  beforeAll(() => {
    const transport = transportTo(env);
    client = chargemesh(transport, passwordTokens(transport, ADMIN));
  });

  test("what is done once it is open is seen, with what it is about", async () => {
    const events = await followEvents(client);
    await add(`${name}-1`);
    const { value: event } = await events.next();
    expect(event).toMatchObject({ type: "chargemesh.charger.v1.ChargerCreated", subject: `${name}-1`, source: "charger-service" });
    expect(event?.data && anyUnpack(event.data, registry)).toMatchObject({ charger: { id: `${name}-1` } });
    await events.return(undefined);
  });

  test("it outlives its token", async () => {
    const events = await followEvents(client);
    const tokenEnds = Date.now() + TOKEN_SECONDS * 1_000;
    let seen = 0;
    while (Date.now() < tokenEnds + 1_000) seen = await addUntilSeen(events.next(), `${name}-long`);
    expect(seen).toBeGreaterThan(tokenEnds);
    await events.return(undefined);
  });

  test("a signal ends it", async () => {
    const controller = new AbortController();
    const events = await followEvents(client, { signal: controller.signal });
    const next = events.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ name: "ApiError", code: "CANCELLED" });
    await expect(followEvents(client, { signal: controller.signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("it goes on after a cursor, with what is asked for", async () => {
    const events = await followEvents(client, { types: ["ChargerCreated"] });
    for (const id of ["after-1", "after-2", "after-3"]) await add(`${name}-${id}`);
    const { value: first } = await events.next();
    await events.return(undefined);
    const later = await followEvents(client, { after: first?.cursor ?? "", chargerId: `${name}-after-3` });
    expect((await later.next()).value).toMatchObject({ subject: `${name}-after-3` });
    await later.return(undefined);
  });

  test("what is in vain is told at once", async () => {
    await expect(followEvents(client, { after: "nonsense" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const never = { code: "FAILED_PRECONDITION", reason: "CURSOR_UNKNOWN" };
    await expect(followEvents(client, { after: String(Number.MAX_SAFE_INTEGER) })).rejects.toMatchObject(never);
  });
});

test("leaving the loop ends the call", async () => {
  const signals: AbortSignal[] = [];
  const transport = restTransport(env.rest, {
    fetch: (input, init) => {
      if (String(input).endsWith("/ocpp/events") && init?.signal) signals.push(init.signal);
      return fetch(input, init);
    },
  });
  const events = await followEvents(chargemesh(transport, passwordTokens(transport, ADMIN)));
  await add("left");
  for await (const event of events) {
    expect(event.subject).toBe("left");
    break;
  }
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("a stream that is cut goes on after its last event", async () => {
  const sockets = new Set<Socket>();
  const target = new URL(env.rest);
  let heard = "";
  // Between client and gateway, so that the line between them can be cut.
  const line = createServer((socket) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const end of [socket, upstream]) sockets.add(end.on("error", () => end.destroy()));
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.pipe(upstream).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(line, "listening");
  const address = line.address();
  const transport = restTransport(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`);
  const tokens = passwordTokens(restTransport(env.rest), ADMIN);
  const events = await followEvents(chargemesh(transport, tokens));
  await add("cut-1");
  const first = (await events.next()).value;
  expect(first?.subject).toBe("cut-1");

  heard = "";
  const next = events.next();
  for (const socket of sockets) socket.destroy();
  // Nobody reads meanwhile.
  for (const id of ["cut-2", "cut-3"]) await add(id);
  expect([(await next).value?.subject, (await events.next()).value?.subject]).toEqual(["cut-2", "cut-3"]);
  expect(heard).toContain(`GET /ocpp/events?cursor=${first?.cursor} `);
  await events.return(undefined);
  for (const socket of sockets) socket.destroy();
  line.close();
});
