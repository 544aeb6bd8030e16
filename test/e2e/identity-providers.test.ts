import { status } from "@grpc/grpc-js";
import { generateKeyPair, SignJWT } from "jose";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, eventually, type Rest, restOf, signIn } from "../rest.ts";
import { callAs } from "./grpc-call.ts";
import { type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";

let provider: IdentityProvider;
let strict: IdentityProvider;
let liar: IdentityProvider;
let bloated: IdentityProvider;
let env: Env;
let admin: Rest;

beforeAll(async () => {
  [provider, strict, liar, bloated] = await Promise.all([
    startIdentityProvider(),
    startIdentityProvider(),
    startIdentityProvider(),
    startIdentityProvider(),
  ]);
  const roles = { "charging-admins": "ADMIN", "charging-operators": "OPERATOR" };
  env = await startEnv({
    OIDC_ISSUERS: JSON.stringify([
      { issuer: provider.issuer, audience: "chargemesh-api", roleClaim: "realm_access.roles", roles, defaultRole: "DRIVER" },
      { issuer: strict.issuer, audience: "chargemesh-api", roles: { staff: "OPERATOR" } },
      { issuer: liar.issuer, audience: "chargemesh-api", defaultRole: "ADMIN" },
      { issuer: bloated.issuer, audience: "chargemesh-api", defaultRole: "DRIVER" },
    ]),
  });
  admin = await signIn(env.rest, ADMIN);
});
afterAll(async () => {
  await env?.stop();
  await provider?.stop();
  await strict?.stop();
  await liar?.stop();
  await bloated?.stop();
});

/** Claims that a token has in place of the usual ones; undefined leaves one out. */
type Claims = Parameters<IdentityProvider["token"]>[0];

const withRoles = (...roles: string[]) => ({ realm_access: { roles } });
const outcome = ({ status: code, body }: Answer): unknown[] => [code, ...(body?.error ? [body.error.details[0].reason] : [])];
const as = (token: string): Rest => restOf(env.rest, token);

test("a person of another provider is a user here, always the same, with what the provider says of them", async () => {
  const claims = { sub: "ada", preferred_username: "ada", email: "ada@corp.example", email_verified: true };
  const ada = as(await provider.token({ ...claims, ...withRoles("charging-operators", "something else") }));
  const { body: me } = await ada("GET", "/auth/me");
  expect(me).toMatchObject({ username: "ada", email: "ada@corp.example", emailVerified: true, role: "OPERATOR" });
  expect(me.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect((await admin("GET", `/auth/users/${me.id}`)).body).toEqual(me);
  const later = as(await provider.token({ ...claims, preferred_username: "ada.l", ...withRoles("charging-admins") }));
  expect((await later("GET", "/auth/me")).body).toMatchObject({ id: me.id, username: "ada.l", role: "ADMIN" });
});

test("their role opens the same doors as with us, at every service, also when it is the first that meets them", async () => {
  const operator = await provider.token({ sub: "op", ...withRoles("charging-operators") });
  const driver = await provider.token({ sub: "dora" });
  for (const [address, rpc] of [
    [env.grpc.charger, "chargemesh.charger.v1.ConnectionService/ListConnections"],
    [env.grpc.email, "chargemesh.email.v1.MessageService/ListMessages"],
  ] as const) {
    expect(await callAs(address, rpc, operator)).toBe(status.OK);
    expect(await callAs(address, rpc, driver)).toBe(status.PERMISSION_DENIED);
  }
  expect(await callAs(env.grpc.auth, "chargemesh.auth.v1.UserService/ListUsers", operator)).toBe(status.PERMISSION_DENIED);
  const names = (await admin("GET", "/auth/users?pageSize=200")).body.users.map((user: { username: string }) => user.username);
  expect(names).toEqual(expect.arrayContaining(["op", "dora"]));
});

test("a driver of another provider sees what is their own", async () => {
  const driver = as(await provider.token({ sub: "driver-with-token" }));
  const { id } = (await driver("GET", "/auth/me")).body;
  await admin("POST", "/ocpp/idTokens", { idToken: "EXTERNAL", userId: id });
  await admin("POST", "/ocpp/idTokens", { idToken: "SOMEBODY" });
  expect((await driver("GET", "/ocpp/idTokens")).body.idTokens.map((one: { idToken: string }) => one.idToken)).toEqual(["EXTERNAL"]);
  expect(outcome(await driver("GET", "/ocpp/idTokens/SOMEBODY"))).toEqual([404, "ID_TOKEN_NOT_FOUND"]);
});

test("the same subject of two providers is two people", async () => {
  const one = (await as(await provider.token({ sub: "same" }))("GET", "/auth/me")).body;
  const other = (await as(await strict.token({ sub: "same", roles: ["staff"] }))("GET", "/auth/me")).body;
  expect(one.id).not.toBe(other.id);
});

test("nobody becomes one of our users by their name, and no address that is not verified is taken over", async () => {
  const { body: me } = await as(await provider.token({ sub: "x", preferred_username: "admin", email: "admin@corp.example" }))(
    "GET",
    "/auth/me",
  );
  expect(me).toMatchObject({ username: "admin", email: "", role: "DRIVER" });
  expect(me.id).not.toBe((await admin("GET", "/auth/me")).body.id);
  expect((await restOf(env.rest)("POST", "/auth/login", ADMIN)).body).toMatchObject({ role: "ADMIN" });
});

test.each<[string, Claims, { kid?: string | undefined }, string]>([
  ["is for another audience", { aud: "another" }, {}, "TOKEN_INVALID"],
  ["has expired", { exp: Math.floor(Date.now() / 1000) - 60 }, {}, "TOKEN_EXPIRED"],
  ["is not good yet", { nbf: Math.floor(Date.now() / 1000) + 60 }, {}, "TOKEN_INVALID"],
  ["never ends", { exp: undefined }, {}, "TOKEN_INVALID"],
  ["has no subject", { sub: undefined }, {}, "TOKEN_INVALID"],
  ["is of a provider that nobody trusts", { iss: "http://127.0.0.1:1" }, {}, "TOKEN_INVALID"],
  ["says to be ours", { iss: "chargemesh", aud: "chargemesh", role: "ADMIN" }, {}, "TOKEN_INVALID"],
  ["names no key", {}, { kid: undefined }, "TOKEN_INVALID"],
  ["names a key that is not there", {}, { kid: "another" }, "TOKEN_INVALID"],
])("a token that %s is refused everywhere", async (_what, claims, header, reason) => {
  const token = await provider.token(claims, header);
  expect(outcome(await as(token)("GET", "/auth/me"))).toEqual([401, reason]);
  expect(outcome(await as(token)("GET", "/ocpp/chargers"))).toEqual([401, reason]);
});

test("a token with a shared secret for a signature is refused, and one that is signed by somebody else", async () => {
  const claims = { iss: provider.issuer, aud: "chargemesh-api", sub: "s", exp: Math.floor(Date.now() / 1000) + 60 };
  const shared = await new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", kid: "key-1" })
    .sign(new TextEncoder().encode("s".repeat(32)));
  const { privateKey } = await generateKeyPair("RS256");
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "key-1" }).sign(privateKey);
  const none = `${Buffer.from('{"alg":"none","kid":"key-1"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
  for (const token of [shared, forged, none]) expect(outcome(await as(token)("GET", "/ocpp/chargers"))).toEqual([401, "TOKEN_INVALID"]);
});

test("without a role that is mapped, and without a default one, nobody comes in", async () => {
  expect(outcome(await as(await strict.token({ sub: "y" }))("GET", "/auth/me"))).toEqual([401, "TOKEN_INVALID"]);
  expect((await as(await strict.token({ sub: "y", roles: "staff" }))("GET", "/auth/me")).body).toMatchObject({ role: "OPERATOR" });
});

test("a provider whose discovery document is that of another one is not taken at its word", async () => {
  liar.claimToBe(provider.issuer);
  expect(outcome(await as(await liar.token({}))("GET", "/ocpp/chargers"))).toEqual([503, "ISSUER_UNAVAILABLE"]);
});

test("a provider that signs with a new key is asked again, five seconds after it was asked last at the soonest", async () => {
  await provider.rotate();
  const token = await provider.token({ sub: "rotated" });
  await eventually(async () => (await as(token)("GET", "/auth/me")).status === 200);
});

test("a provider is not asked for every key that is unknown", async () => {
  await as(await provider.token({ sub: "before" }))("GET", "/auth/me");
  const before = provider.asked();
  for (const kid of ["a", "b", "c", "d"]) await as(await provider.token({ sub: "before" }, { kid }))("GET", "/auth/me");
  expect(provider.asked() - before).toBeLessThanOrEqual(1);
});

test("whoever was disabled here does not come in, whatever their provider says", async () => {
  const token = await provider.token({ sub: "leaver" });
  const { id } = (await as(token)("GET", "/auth/me")).body;
  expect((await admin("PATCH", `/auth/users/${id}`, { disabled: true })).status).toBe(200);
  expect(outcome(await as(token)("GET", "/ocpp/transactions"))).toEqual([401, "TOKEN_INVALID"]);
});

test("they have no API keys and no password here, and their role is their provider's to give", async () => {
  const token = await provider.token({ sub: "keys", preferred_username: "keys", email: "keys@corp.example", email_verified: true });
  const person = as(token);
  const { id } = (await person("GET", "/auth/me")).body;
  const expireTime = new Date(Date.now() + 3_600_000).toISOString();
  const wanted = { displayName: "a", role: "DRIVER", scopes: ["*:*"], expireTime };
  expect(outcome(await person("POST", "/auth/apiKeys", wanted))).toEqual([400, "EXTERNAL_USER"]);
  expect(outcome(await admin("PATCH", `/auth/users/${id}`, { role: "ADMIN" }))).toEqual([400, "EXTERNAL_USER"]);
  for (const username of ["keys", "keys@corp.example", `EXTERNAL ${id}`]) {
    const answer = await restOf(env.rest)("POST", "/auth/login", { username, password: "correct horse battery staple" });
    expect(outcome(answer)).toEqual([401, "INVALID_CREDENTIALS"]);
    expect((await restOf(env.rest)("POST", "/auth/password:requestReset", { username })).status).toBe(200);
  }
  const tables = new pg.Client({ connectionString: env.database.ownerUrl });
  await tables.connect();
  const { rowCount } = await tables.query("select from authentication.one_time_token where user_id = $1", [id]);
  await tables.end();
  expect(rowCount).toBe(0);
});

test("a provider whose answers do not end vouches for nobody", async () => {
  bloated.claimToBe("x".repeat(2_000_000));
  expect(outcome(await as(await bloated.token({ sub: "anybody" }))("GET", "/auth/me"))).toEqual([503, "ISSUER_UNAVAILABLE"]);
});

test("a provider that is away keeps its own people waiting and nobody else", async () => {
  const known = await strict.token({ sub: "known", roles: ["staff"] });
  const us = await signIn(env.rest, ADMIN);
  strict.hang();
  const startTime = performance.now();
  const away = as(await strict.token({ sub: "new", roles: ["staff"] }, { kid: "unknown" }))("GET", "/ocpp/chargers");
  expect((await us("GET", "/ocpp/chargers")).status).toBe(200);
  expect(performance.now() - startTime).toBeLessThan(2_000);
  expect((await as(known)("GET", "/auth/me")).status).toBe(200);
  expect(outcome(await away)[0]).not.toBe(200);
});
