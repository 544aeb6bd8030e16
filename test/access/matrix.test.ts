import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Env, startEnv } from "../env.ts";
import { type Caller, makeCallers } from "./callers.ts";
import { readContract } from "./contract.ts";
import { callRest, type End, type GrpcDoor, type Headers, openGrpc } from "./doors.ts";
import { expectedEnd } from "./expected.ts";

// Every rpc of the contract × everybody who may call it or should not, at both doors. An rpc that is added is tested here without a line of its own.

/** No field of a path may hold it, so what is let in changes nothing and is refused for that. */
const NUL = "%00";

/** The edge passes on what it is shown and does not look into it, so some of each kind are enough there. */
const atTheEdge = [
  "nobody",
  "DRIVER",
  "OPERATOR",
  "ADMIN",
  "an API key",
  "a driver's API key",
  "an API key to read",
  "an API key out of scope",
  "an API key for another charger",
  "an API key that was revoked",
  "garbage",
  "expired",
  "not yet valid",
  "wrong audience",
  "wrong issuer",
  "a key that nobody knows",
  "the kid of a known key, signed with another",
  "alg none",
  "HS256 with the public key as PEM",
  "another scheme",
  "gateway",
  "another secret's gateway",
];

const rpcs = readContract();
let callers: Readonly<Record<string, Caller>> = {};
let env: Env;
let grpc: GrpcDoor;

beforeAll(async () => {
  env = await startEnv();
  grpc = openGrpc(env);
  callers = await makeCallers(env);
});
afterAll(async () => {
  grpc.close();
  await env.stop();
});

// Not by $path: a long name would be cut.
const named = rpcs.map((rpc) => [`${rpc.path.slice("/chargemesh.".length)} (${rpc.level})`, rpc] as const);

describe.each(named)("%s", (_name, rpc) => {
  test("at the service's own port", async () => {
    const everybody = Object.keys(callers);
    const ends = await endsOf(everybody, (headers) => grpc.call(rpc, headers));
    expect(ends).toEqual(expectedOf(everybody, ({ shown }) => expectedEnd(rpc, shown)));
  });

  test.each(rpc.bindings)("over REST: $method $template", async (binding) => {
    const ends = await endsOf(atTheEdge, (headers) => callRest(env.rest, binding, headers, { "*": NUL }));
    const asked = { ...rpc, wantsFields: rpc.wantsFields || binding.template.includes("{") };
    expect(ends).toEqual(expectedOf(atTheEdge, ({ shown, overRest = shown }) => expectedEnd(asked, overRest)));
  });
});

const headersOf = async ({ headers }: Caller): Promise<Headers> => (typeof headers === "function" ? headers() : headers);

async function endsOf(names: readonly string[], call: (headers: Headers) => Promise<End>): Promise<Record<string, string>> {
  const ends = names.map(async (name) => [name, (await call(await headersOf(callerNamed(name)))).code] as const);
  return Object.fromEntries(await Promise.all(ends));
}

function expectedOf(names: readonly string[], end: (caller: Caller) => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, end(callerNamed(name))]));
}

function callerNamed(name: string): Caller {
  const caller = callers[name];
  if (caller === undefined) throw new Error(`nobody is called ${name}`);
  return caller;
}

test("whom REST does not lead to, it does not lead to", async () => {
  const inner = rpcs.filter(({ bindings }) => bindings.length === 0);
  expect(inner.map(({ level }) => level)).toEqual(inner.map(() => "SERVICE"));
  const headers = await headersOf(callerNamed("gateway"));
  for (const { path: template } of inner) {
    for (const method of ["POST", "GET"]) {
      const { code } = await callRest(env.rest, { method, template, takesBody: method === "POST" }, headers, {});
      expect(code).toBe("NOT_FOUND ROUTE_NOT_FOUND");
    }
  }
});
