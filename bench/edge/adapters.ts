import { type ChildProcess, fork } from "node:child_process";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { GetChargerRequest } from "@chargemesh/contracts/charger/v1/charger_service";
import { channelOptions } from "@chargemesh/kit/grpc-client";
import { AUDIENCE, ISSUER } from "@chargemesh/kit/identity";
import { asIs, callUnary } from "@chargemesh/transcoder/unary";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { FastifyReply } from "fastify";
import { measure } from "./load.ts";

const PATH = "/chargemesh.charger.v1.ChargerService/GetCharger";
const LANES = 32;
const ROUNDS = 21;
const ROUND_MS = 400;
const WARM_UPS = 8;

/** What our adapters around grpc-js cost, as a share of the processor time of bare grpc-js for the same call: 1 is nothing. */
export interface AdapterRatios {
  server: number;
  client: number;
}

/** Measures both in interleaved rounds: the kit's server beside a bare one, and the transcoder's calls beside those of a bare client. */
export async function adapterRatios(): Promise<AdapterRatios> {
  const { jwks, token } = makeToken();
  const child = fork(join(import.meta.dirname, "adapters-server.ts"), { env: { ...process.env, JWKS: JSON.stringify(jwks) } });
  try {
    const [addresses] = (await once(child, "message")) as [{ bare: string; kit: string }];
    return await measureBoth(child, addresses, token);
  } finally {
    child.kill();
  }
}

async function measureBoth(child: ChildProcess, addresses: { bare: string; kit: string }, token: string): Promise<AdapterRatios> {
  const clients = {
    bare: new Client(addresses.bare, credentials.createInsecure(), channelOptions),
    kit: new Client(addresses.kit, credentials.createInsecure(), channelOptions),
  };
  const message = Buffer.from(GetChargerRequest.encode({ id: "CP-01" }).finish());
  const metadata = (): Metadata => {
    const shown = new Metadata();
    shown.set("authorization", `Bearer ${token}`);
    return shown;
  };
  const options = (): { deadline: number } => ({ deadline: Date.now() + 10_000 });
  const bareCall = (client: Client) => (): Promise<void> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(PATH, asIs, asIs, message, metadata(), options(), (err) => (err === null ? resolve() : reject(err)));
    });
  // All that a call looks at of its reply.
  const reply = { raw: new EventEmitter().setMaxListeners(0) } as FastifyReply;
  const ourCall = async (): Promise<void> => {
    const call = { client: clients.bare, path: PATH, message, metadata: metadata(), options: options(), returned: () => undefined };
    await callUnary(call, reply);
    reply.raw.removeAllListeners();
  };
  const ways = { bare: bareCall(clients.bare), server: bareCall(clients.kit), client: ourCall };
  const used: Record<keyof typeof ways, { server: number; client: number }[]> = { bare: [], server: [], client: [] };
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    for (const way of ["bare", "server", "client"] as const) {
      const lanes = Array.from({ length: LANES }, () => ways[way]);
      const { cpuUs } = await measure(lanes, ROUND_MS, { server: child.pid ?? 0, client: process.pid });
      // Before, what runs is still being compiled.
      if (round >= 0) used[way].push({ server: cpuUs.server ?? 0, client: cpuUs.client ?? 0 });
    }
  }
  for (const client of Object.values(clients)) client.close();
  const share = (side: "server" | "client"): number => median(used[side].map((one, i) => one[side] / (used.bare[i]?.[side] ?? Number.NaN)));
  return { server: share("server"), client: share("client") };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A key set, and an operator's token that it verifies. */
function makeToken(): { jwks: object; token: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = randomUUID();
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: randomUUID(),
    username: "bench",
    role: "OPERATOR",
    iat: now,
    nbf: now,
    exp: now + 3_600,
  };
  const text = [{ alg: "ES256", kid }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return { jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" }] }, token: `${text}.${signature}` };
}
