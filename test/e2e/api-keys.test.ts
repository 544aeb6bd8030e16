import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, eventually, type Rest, restOf, signIn } from "../rest.ts";
import { callAs } from "./grpc-call.ts";

let env: Env;
let admin: Rest;
let driver: Rest;
let driverId: string;

const DAY_MS = 24 * 3_600_000;
const PASSWORD = "correct horse battery staple";
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

beforeAll(async () => {
  env = await startEnv();
  admin = await signIn(env.rest, ADMIN);
  const { body } = await restOf(env.rest)("POST", "/auth/signup", { username: "ada@example.org", password: PASSWORD });
  driver = restOf(env.rest, body.accessToken);
  driverId = body.id;
  for (const id of ["CP-1", "CP-2"]) await admin("POST", "/ocpp/chargers", { id });
});
afterAll(() => env?.stop());

interface Wanted {
  role?: string;
  scopes?: string[];
  chargerIds?: string[];
  displayName?: string;
  expireTime?: string | undefined;
}

const make = (who: Rest, wanted: Wanted): Promise<Answer> =>
  who("POST", "/auth/apiKeys", { displayName: "a program", role: "DRIVER", scopes: ["*:*"], expireTime: inDays(1), ...wanted });

/** Makes a key, and answers a caller who shows it. */
async function program(who: Rest, wanted: Wanted): Promise<{ rest: Rest; secret: string; id: string }> {
  const { status: code, body } = await make(who, wanted);
  expect(code).toBe(200);
  return { rest: restOf(env.rest, body.secret), secret: body.secret, id: body.apiKey.id };
}

const outcome = ({ status: code, body }: Answer): unknown[] => [code, ...(body?.error ? [body.error.details[0].reason] : [])];

test("a key is shown once, is not in the tables, and tells what it is", async () => {
  const { body } = await make(admin, {
    displayName: "billing",
    role: "OPERATOR",
    scopes: ["charger.transactions:read"],
    chargerIds: ["CP-1"],
  });
  expect(body).toEqual({
    apiKey: {
      id: expect.any(String),
      userId: expect.any(String),
      displayName: "billing",
      role: "OPERATOR",
      scopes: ["charger.transactions:read"],
      chargerIds: ["CP-1"],
      createTime: expect.any(String),
      expireTime: expect.any(String),
    },
    secret: expect.stringMatching(/^cmk_[\w-]{43}$/),
  });
  const { body: seen } = await admin("GET", `/auth/apiKeys/${body.apiKey.id}`);
  expect(seen).toEqual(body.apiKey);
  const { body: list } = await admin("GET", "/auth/apiKeys");
  expect(list.apiKeys).toContainEqual(body.apiKey);
  expect(JSON.stringify(list)).not.toContain(body.secret);
});

test("a key does what its scopes say, at every door, and nothing else", async () => {
  const { rest, secret } = await program(admin, { role: "OPERATOR", scopes: ["charger.chargers:read", "email.*:read"] });
  expect(outcome(await rest("GET", "/ocpp/chargers"))).toEqual([200]);
  expect(outcome(await rest("GET", "/email/messages"))).toEqual([200]);
  expect(outcome(await rest("POST", "/ocpp/chargers", { id: "CP-9" }))).toEqual([403, "SCOPE_MISSING"]);
  expect(outcome(await rest("GET", "/ocpp/transactions"))).toEqual([403, "SCOPE_MISSING"]);
  expect(outcome(await rest("GET", "/auth/me"))).toEqual([403, "SCOPE_MISSING"]);
  const chargers = "chargemesh.charger.v1.ChargerService";
  expect(await callAs(env.grpc.charger, `${chargers}/ListChargers`, secret)).toBe(status.OK);
  expect(await callAs(env.grpc.charger, `${chargers}/DeleteCharger`, secret)).toBe(status.PERMISSION_DENIED);
  expect(await callAs(env.grpc.email, "chargemesh.email.v1.MessageService/ListMessages", secret)).toBe(status.OK);
  expect(await callAs(env.grpc.auth, "chargemesh.auth.v1.UserService/GetMe", secret)).toBe(status.PERMISSION_DENIED);
});

test.each([
  [["*:*"], 200, 200],
  [["*:read"], 200, 403],
  [["*:write"], 403, 200],
  [["charger.*:*"], 200, 200],
  [["charger.chargers:*"], 200, 200],
  [["charger.chargers:write"], 403, 200],
  [["charger.idTokens:*", "auth.*:*"], 403, 403],
])("the scopes %j read chargers: %i, and change them: %i", async (scopes, read, write) => {
  const { rest } = await program(admin, { role: "OPERATOR", scopes });
  expect((await rest("GET", "/ocpp/chargers/CP-1")).status).toBe(read);
  expect((await rest("PATCH", "/ocpp/chargers/CP-1", { displayName: "by a program" })).status).toBe(write);
});

test("a key of a role that may not is refused whatever its scopes say", async () => {
  const { rest } = await program(admin, { role: "DRIVER", scopes: ["*:*"] });
  expect(outcome(await rest("POST", "/ocpp/chargers", { id: "CP-9" }))).toEqual([403, "ACCESS_DENIED"]);
});

test("no key makes keys, reads or ends sessions, changes passwords, addresses or roles, or rotates what signs", async () => {
  const { rest, id } = await program(admin, { role: "ADMIN", scopes: ["*:*"] });
  const person = { password: ADMIN.password, newPassword: "another password, longer" };
  const calls: [string, string, object?][] = [
    ["POST", "/auth/apiKeys", { displayName: "a", role: "DRIVER", scopes: ["*:*"], expireTime: inDays(1) }],
    ["GET", "/auth/apiKeys"],
    ["GET", `/auth/apiKeys/${id}`],
    ["DELETE", `/auth/apiKeys/${id}`],
    ["GET", "/auth/me/sessions"],
    ["DELETE", `/auth/me/sessions/${id}`],
    ["POST", "/auth/me/sessions:revokeAll", {}],
    ["GET", `/auth/users/${driverId}/sessions`],
    ["DELETE", `/auth/users/${driverId}/sessions/${id}`],
    ["POST", `/auth/users/${driverId}/sessions:revokeAll`, {}],
    ["POST", "/auth/signingKeys:rotate", {}],
    ["PATCH", `/auth/users/${driverId}`, { role: "ADMIN" }],
    ["DELETE", `/auth/users/${driverId}`],
    ["POST", "/auth/me/password", person],
    ["POST", "/auth/me/email", { password: ADMIN.password, email: "thief@example.org" }],
    ["POST", "/auth/me:delete", { password: ADMIN.password }],
  ];
  const outcomes = await Promise.all(calls.map(async ([method, path, body]) => [path, ...outcome(await rest(method, path, body))]));
  expect(outcomes).toEqual(calls.map(([, path]) => [path, 403, "SIGN_IN_REQUIRED"]));
});

test("a key that is restricted to chargers does nothing that is not about one of them", async () => {
  const { rest } = await program(admin, { role: "OPERATOR", scopes: ["*:*"], chargerIds: ["CP-1"] });
  const elsewhere = [403, "CHARGER_NOT_IN_SCOPE"];
  expect(outcome(await rest("GET", "/ocpp/chargers/CP-1"))).toEqual([200]);
  expect(outcome(await rest("GET", "/ocpp/chargers/CP-2"))).toEqual(elsewhere);
  expect(outcome(await rest("GET", "/ocpp/chargers"))).toEqual(elsewhere);
  expect(outcome(await rest("PATCH", "/ocpp/chargers/CP-1", { displayName: "mine" }))).toEqual([200]);
  expect(outcome(await rest("PATCH", "/ocpp/chargers/CP-2", { displayName: "mine" }))).toEqual(elsewhere);
  expect(outcome(await rest("GET", "/ocpp/transactions?chargerId=CP-1"))).toEqual([200]);
  expect(outcome(await rest("GET", "/ocpp/transactions?chargerId=CP-2"))).toEqual(elsewhere);
  expect(outcome(await rest("GET", "/ocpp/transactions"))).toEqual(elsewhere);
  expect(outcome(await rest("GET", "/ocpp/transactions/1"))).toEqual(elsewhere);
  expect(outcome(await rest("GET", "/email/messages"))).toEqual(elsewhere);
  expect(outcome(await rest("POST", "/ocpp/chargers/CP-2/commands", { action: "Reset", payload: { type: "Soft" } }))).toEqual(elsewhere);
});

test("a driver's key sees what is the driver's own", async () => {
  await admin("POST", "/ocpp/idTokens", { idToken: "ADA", userId: driverId });
  await admin("POST", "/ocpp/idTokens", { idToken: "OTHER" });
  const { rest } = await program(driver, {});
  expect((await rest("GET", "/ocpp/idTokens")).body.idTokens.map((one: { idToken: string }) => one.idToken)).toEqual(["ADA"]);
  expect(outcome(await rest("GET", "/ocpp/idTokens/OTHER"))).toEqual([404, "ID_TOKEN_NOT_FOUND"]);
  expect((await rest("GET", "/auth/me")).body).toMatchObject({ id: driverId, username: "ada@example.org" });
});

test.each<[string, Wanted, number, string]>([
  ["a role above its maker's", { role: "OPERATOR" }, 403, "ROLE_TOO_HIGH"],
  ["no scope", { scopes: [] }, 400, "INVALID_FIELD"],
  ["a scope that is none", { scopes: ["charger.transactions"] }, 400, "INVALID_FIELD"],
  ["one good scope and one that is none", { scopes: ["*:read", "*"] }, 400, "INVALID_FIELD"],
  ["no end", { expireTime: undefined }, 400, "INVALID_FIELD"],
  ["an end that has passed", { expireTime: inDays(-1) }, 400, "INVALID_FIELD"],
  ["an end too far away", { expireTime: inDays(366) }, 400, "INVALID_FIELD"],
  ["no name", { displayName: "" }, 400, "INVALID_FIELD"],
  ["a charger that is none", { chargerIds: ["a b"] }, 400, "INVALID_FIELD"],
])("a key with %s is refused", async (_what, wanted, code, reason) => {
  expect(outcome(await make(driver, wanted))).toEqual([code, reason]);
});

test("others see no key that is not theirs; administrators see all", async () => {
  const { id } = await program(driver, {});
  const { id: other } = await program(admin, {});
  expect(outcome(await driver("GET", `/auth/apiKeys/${other}`))).toEqual([404, "API_KEY_NOT_FOUND"]);
  expect(outcome(await driver("DELETE", `/auth/apiKeys/${other}`))).toEqual([404, "API_KEY_NOT_FOUND"]);
  const idsSeenBy = async (who: Rest, query: string) =>
    (await who("GET", `/auth/apiKeys${query}`)).body.apiKeys.map((one: { id: string }) => one.id);
  expect(await idsSeenBy(driver, "")).not.toContain(other);
  expect(await idsSeenBy(admin, `?userId=${driverId}`)).toContain(id);
  expect(await idsSeenBy(admin, "?pageSize=200")).toEqual(expect.arrayContaining([id, other]));
});

test("the last use of a key is known", async () => {
  const { rest, id } = await program(driver, {});
  expect((await driver("GET", `/auth/apiKeys/${id}`)).body.lastUseTime).toBeUndefined();
  await rest("GET", "/ocpp/transactions");
  const { lastUseTime } = (await driver("GET", `/auth/apiKeys/${id}`)).body;
  expect(Math.abs(Date.parse(lastUseTime) - Date.now())).toBeLessThan(10_000);
});

test("a key that nobody made, or that was revoked before it was used, is refused at every door", async () => {
  const unknown = [401, "API_KEY_INVALID"];
  const { rest, id, secret } = await program(driver, {});
  await driver("DELETE", `/auth/apiKeys/${id}`);
  for (const path of ["/auth/me", "/ocpp/transactions"]) {
    expect(outcome(await rest("GET", path))).toEqual(unknown);
    expect(outcome(await restOf(env.rest, `cmk_${"A".repeat(43)}`)("GET", path))).toEqual(unknown);
    expect(outcome(await restOf(env.rest, "cmk_short")("GET", path))).toEqual(unknown);
  }
  expect(await callAs(env.grpc.charger, "chargemesh.charger.v1.TransactionService/ListTransactions", secret)).toBe(status.UNAUTHENTICATED);
});

test("the owner hears of a new key by mail", async () => {
  await program(driver, {});
  await eventually(async () => (await env.mails()).some((mail) => mail.includes("ada@example.org") && /API key/i.test(mail)));
});

test("whoever is disabled or loses a role loses it for their keys", async () => {
  const { body: eve } = await restOf(env.rest)("POST", "/auth/signup", { username: "eve", password: PASSWORD });
  await admin("PATCH", `/auth/users/${eve.id}`, { role: "OPERATOR" });
  const operator = await signIn(env.rest, { username: "eve", password: PASSWORD });
  const first = await program(operator, { role: "OPERATOR" });
  const second = await program(operator, { role: "OPERATOR" });
  expect((await first.rest("GET", "/ocpp/connections")).status).toBe(200);
  await admin("PATCH", `/auth/users/${eve.id}`, { role: "DRIVER" });
  expect(outcome(await second.rest("GET", "/ocpp/connections"))).toEqual([403, "ACCESS_DENIED"]);
  const third = await program(await signIn(env.rest, { username: "eve", password: PASSWORD }), {});
  await admin("PATCH", `/auth/users/${eve.id}`, { disabled: true });
  expect(outcome(await third.rest("GET", "/ocpp/transactions"))).toEqual([401, "API_KEY_INVALID"]);
});
