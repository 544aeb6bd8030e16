import { makeMeshIdentity } from "@chargemesh/kit/identity";
import { ADMIN, type Env } from "../env.ts";
import { restOf, signIn } from "../rest.ts";
import { claims, faultyTokens, type SigningKey, signed, signedByHmac, stealSigningKey } from "./credentials.ts";
import type { Headers } from "./doors.ts";
import type { Role, Shown } from "./expected.ts";

const PASSWORD = "correct horse battery staple";
const MESH_HEADER = "x-chargemesh-service";

/** Somebody who calls. */
export interface Caller {
  headers: Headers | (() => Promise<Headers>);
  shown: Shown;
  /** What the same caller is at the REST door, where it is something else. */
  overRest?: Shown;
}

/** Everybody who may call or should not, by name. */
export async function makeCallers(env: Env): Promise<Record<string, Caller>> {
  const key = await stealSigningKey(env);
  const users = await people(env);
  return {
    nobody: { headers: {}, shown: { kind: "nothing" } },
    ...users,
    ...(await programs(env, users.ADMIN?.headers ?? {})),
    ...strangers(key),
    ...services(env, key),
  };
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

async function people({ rest: url }: Env): Promise<Record<string, Caller & { headers: Headers }>> {
  const admin = await signIn(url, ADMIN);
  const one = async (role: Role): Promise<[string, Caller & { headers: Headers }]> => {
    const credentials = { username: `${role.toLowerCase()}@example.com`, password: PASSWORD };
    const { body } = await restOf(url)("POST", "/auth/signup", credentials);
    await admin("PATCH", `/auth/users/${body.id}`, { role });
    const again = await restOf(url)("POST", "/auth/login", credentials);
    return [role, { headers: bearer(again.body.accessToken), shown: { kind: "user", role } }];
  };
  return Object.fromEntries(await Promise.all((["DRIVER", "OPERATOR", "ADMIN"] as const).map(one)));
}

/** API keys of the administrator. */
async function programs({ rest: url }: Env, { authorization = "" }: Headers): Promise<Record<string, Caller>> {
  const admin = restOf(url, authorization.slice("Bearer ".length));
  const expireTime = new Date(Date.now() + 3_600_000).toISOString();
  const make = async (key: object): Promise<{ headers: Headers; id: string }> => {
    const { status, body } = await admin("POST", "/auth/apiKeys", {
      displayName: "a program",
      role: "ADMIN",
      scopes: ["*:*"],
      expireTime,
      ...key,
    });
    if (status !== 200) throw new Error(`no API key: ${JSON.stringify(body)}`);
    return { headers: bearer(body.secret), id: body.apiKey.id };
  };
  const [all, operator, driver, reader, outside, elsewhere, revoked] = await Promise.all([
    make({}),
    make({ role: "OPERATOR" }),
    make({ role: "DRIVER" }),
    make({ scopes: ["*:read"] }),
    make({ scopes: ["nowhere.things:*", "auth.nothings:write"] }),
    make({ chargerIds: ["ELSEWHERE"] }),
    make({}),
  ]);
  await admin("DELETE", `/auth/apiKeys/${revoked?.id}`);
  const invalid: Shown = { kind: "faulty", reason: "API_KEY_INVALID" };
  const key = { kind: "API key", role: "ADMIN", scope: "all" } as const;
  return {
    "an API key": { ...all, shown: key },
    "an operator's API key": { ...operator, shown: { ...key, role: "OPERATOR" } },
    "a driver's API key": { ...driver, shown: { ...key, role: "DRIVER" } },
    "an API key to read": { ...reader, shown: { ...key, scope: "read" } },
    "an API key out of scope": { ...outside, shown: { ...key, scope: "none" } },
    "an API key for another charger": { ...elsewhere, shown: { ...key, forOneCharger: true } },
    "an API key that was revoked": { ...revoked, shown: invalid },
    "an API key that nobody made": { headers: bearer(`cmk_${"A".repeat(43)}`), shown: invalid },
    "half an API key": { headers: bearer("cmk_AAAA"), shown: invalid },
  };
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
function services({ vars }: Env, key: SigningKey): Record<string, Caller> {
  const secret = vars.MESH_SECRET;
  const overRest: Shown = { kind: "nothing" };
  // They live for a minute, and all this may take longer on a busy machine.
  const show = (name: string, meshSecret: string) => async (): Promise<Headers> => {
    const metadata = (await makeMeshIdentity(name, meshSecret)()).getMap();
    return Object.fromEntries(Object.entries(metadata).map(([header, value]) => [header, String(value)]));
  };
  const time = Math.floor(Date.now() / 1000);
  const said = { iss: "gateway", aud: "chargemesh-mesh", iat: time, exp: time + 60 };
  const refused = (token: string, reason = "TOKEN_INVALID"): Caller => ({
    headers: { [MESH_HEADER]: token },
    shown: { kind: "faulty", reason },
    overRest,
  });
  const named = ["gateway", "auth-service", "charger-service", "email-service", "nobody's service"].map((name): [string, Caller] => {
    return [name, { headers: show(name, secret), shown: { kind: "service", name }, overRest }];
  });
  return {
    ...Object.fromEntries(named),
    "a bare name": refused("gateway"),
    "another secret's gateway": { ...refused(""), headers: show("gateway", "a secret that nobody else has, and long enough") },
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
