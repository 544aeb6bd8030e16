import { makeMeshIdentity } from "@chargemesh/kit/identity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { restOf, signIn } from "../rest.ts";
import { readContract } from "./contract.ts";
import { claims, faultyTokens, type SigningKey, signed, signedByHmac, stealSigningKey } from "./credentials.ts";
import { callRest, type GrpcDoor, type Headers, openGrpc } from "./doors.ts";
import { expectedEnd, type Role, type Shown } from "./expected.ts";

// Every rpc of the contract × everybody who may call it or should not, at both doors. An rpc that is added is tested here without a line of its own.

/** No field of a path may hold it, so what is let in changes nothing and is refused for that. */
const NUL = "%00";
const PASSWORD = "correct horse battery staple";

interface Caller {
  headers: Headers;
  shown: Shown;
  /** What the same caller is at the REST door, where it is something else. */
  overRest?: Shown;
}

const rpcs = readContract();
const callers: Record<string, Caller> = { nobody: { headers: {}, shown: { kind: "nothing" } } };
let env: Env;
let grpc: GrpcDoor;

beforeAll(async () => {
  env = await startEnv();
  grpc = openGrpc(env);
  const key = await stealSigningKey(env);
  Object.assign(callers, await people(), strangers(key), await services(key));
});
afterAll(async () => {
  grpc.close();
  await env.stop();
});

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

async function people(): Promise<Record<string, Caller>> {
  const admin = await signIn(env.rest, ADMIN);
  const one = async (role: Role): Promise<[string, Caller]> => {
    const credentials = { username: `a ${role}`.replace(" ", "-"), password: PASSWORD };
    const { body } = await restOf(env.rest)("POST", "/auth/signup", credentials);
    await admin("PATCH", `/auth/users/${body.id}`, { role });
    const again = await restOf(env.rest)("POST", "/auth/login", credentials);
    return [role, { headers: bearer(again.body.accessToken), shown: { kind: "user", role } }];
  };
  return Object.fromEntries(await Promise.all((["DRIVER", "OPERATOR", "ADMIN"] as const).map(one)));
}

function strangers(key: SigningKey): Record<string, Caller> {
  const invalid: Shown = { kind: "faulty", reason: "TOKEN_INVALID" };
  const header = { alg: "ES256", kid: key.kid };
  const admin = signed(header, claims(), key.key);
  return {
    ...Object.fromEntries(
      Object.entries(faultyTokens(key)).map(([name, { token, reason }]) => [
        name,
        { headers: bearer(token), shown: { kind: "faulty", reason } },
      ]),
    ),
    "another scheme": { headers: { authorization: `Basic ${Buffer.from("admin:password").toString("base64")}` }, shown: invalid },
    "a scheme and nothing": { headers: { authorization: "Bearer" }, shown: invalid },
    "two tokens in one": { headers: { authorization: `Bearer ${admin}, Bearer ${admin}` }, shown: invalid },
    "a password": { headers: bearer(ADMIN.password), shown: invalid },
  };
}

/** Services, and who would like to be one. REST has no way to show what services show. */
async function services(key: SigningKey): Promise<Record<string, Caller>> {
  const secret = env.vars.MESH_SECRET;
  const overRest: Shown = { kind: "nothing" };
  const show = async (name: string, meshSecret: string): Promise<Headers> => {
    const metadata = (await makeMeshIdentity(name, meshSecret)()).getMap();
    return Object.fromEntries(Object.entries(metadata).map(([header, value]) => [header, String(value)]));
  };
  const [header = ""] = Object.keys(await show("gateway", secret));
  const time = Math.floor(Date.now() / 1000);
  const said = { iss: "gateway", aud: "chargemesh-mesh", iat: time, exp: time + 60 };
  const refused = (token: string, reason = "TOKEN_INVALID"): Caller => ({
    headers: { [header]: token },
    shown: { kind: "faulty", reason },
    overRest,
  });
  const named = ["gateway", "auth-service", "charger-service", "email-service", "nobody's service"].map(async (name) => {
    return [name, { headers: await show(name, secret), shown: { kind: "service", name }, overRest }];
  });
  return {
    ...Object.fromEntries(await Promise.all(named)),
    "a bare name": refused("gateway"),
    "another secret's gateway": refused((await show("gateway", "a secret that nobody else has, and long enough"))[header] ?? ""),
    "a gateway of yesterday": refused(signedByHmac({}, { ...said, exp: time - 1 }, secret), "TOKEN_EXPIRED"),
    "a gateway for ever": refused(signedByHmac({}, { ...said, exp: undefined }, secret)),
    "a gateway for users": refused(signedByHmac({}, { ...said, aud: "chargemesh" }, secret)),
    "a user's token in a service's place": refused(signed({ alg: "ES256", kid: key.kid }, { ...claims(), iss: "gateway" }, key.key)),
    "a service's token in a user's place": {
      headers: bearer(signedByHmac({ kid: key.kid }, { ...claims(), iss: "gateway" }, secret)),
      shown: { kind: "faulty", reason: "TOKEN_INVALID" },
    },
  };
}

describe.each(rpcs)("$path ($level)", (rpc) => {
  test("at the service's own port", async () => {
    const ends = await endsOf(async (caller) => (await grpc.call(rpc, caller.headers)).code);
    expect(ends).toEqual(expectedOf((caller) => expectedEnd(rpc, caller.shown)));
  });

  test.each(rpc.bindings)("over REST: $method $template", async (binding) => {
    const ends = await endsOf(async (caller) => (await callRest(env.rest, binding, caller.headers, { "*": NUL })).code);
    const asked = { ...rpc, wantsFields: rpc.wantsFields || binding.template.includes("{") };
    expect(ends).toEqual(expectedOf((caller) => expectedEnd(asked, caller.overRest ?? caller.shown)));
  });
});

async function endsOf(call: (caller: Caller) => Promise<string>): Promise<Record<string, string>> {
  const ends = Object.entries(callers).map(async ([name, caller]) => [name, await call(caller)] as const);
  return Object.fromEntries(await Promise.all(ends));
}

function expectedOf(end: (caller: Caller) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(callers).map(([name, caller]) => [name, end(caller)]));
}

test("whom REST does not lead to, it does not lead to", async () => {
  const inner = rpcs.filter(({ bindings }) => bindings.length === 0);
  expect(inner.map(({ level }) => level)).toEqual(inner.map(() => "SERVICE"));
  for (const { path } of inner) {
    for (const method of ["POST", "GET"]) {
      const { code } = await callRest(
        env.rest,
        { method, template: path, takesBody: method === "POST" },
        callers.gateway?.headers ?? {},
        {},
      );
      expect(code).toBe("NOT_FOUND ROUTE_NOT_FOUND");
    }
  }
});
