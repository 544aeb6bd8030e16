import { readdirSync } from "node:fs";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { loadProtos, rulesOf } from "@chargemesh/kit/rules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeTestAuthority } from "../../charger-service/test/ocpp/authority.ts";
import { readContract } from "../access/contract.ts";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, eventually, type Rest, restOf, signIn } from "../rest.ts";
import { auditedCalls, makeActors, nobody, userActor } from "./audited-calls.ts";

// The audit log over the whole system: every rpc that has side effects leaves an entry, whichever service it is of. One that is added and
// not called here fails the first test; one that is called and leaves no entry fails its own.

let env: Env;
let admin: Rest;
let actors: ReturnType<typeof makeActors>;
let calls: ReturnType<typeof auditedCalls>;

beforeAll(async () => {
  env = await startEnv((await makeTestAuthority()).settings);
  admin = await signIn(env.rest, ADMIN);
  actors = makeActors(env, admin);
  calls = auditedCalls(admin, actors);
});
afterAll(() => env?.stop());

const [ours = ""] = protoDirs;
const files = readdirSync(ours, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("_service.proto"));
const protos = loadProtos(files);
const shortName = (path: string): string => path.slice("/chargemesh.".length);
const audited = readContract()
  .filter(({ path }) => rulesOf(protos, path).audit === "EVERYTHING")
  .map(({ path }) => shortName(path));

interface Entry {
  requestId: string;
  details: Record<string, string>;
}

/** The entries that a call has left. */
async function entriesOf(rpc: string, { headers }: Answer): Promise<Entry[]> {
  const { body } = await admin("GET", `/auth/auditEntries?pageSize=200&action=${encodeURIComponent(`chargemesh.${rpc}`)}`);
  return (body.auditEntries as Entry[]).filter(({ requestId }) => requestId === headers.get("x-request-id"));
}

/** The first entry that a call has left, once it is there. */
const entryOf = (rpc: string, answer: Answer): Promise<Entry> => eventually(async () => (await entriesOf(rpc, answer)).at(-1));

test("every rpc with side effects is called here", () => {
  expect(audited.filter((rpc) => !(rpc in calls))).toEqual([]);
  expect(Object.keys(calls).filter((rpc) => !audited.includes(rpc))).toEqual([]);
});

describe.concurrent.each(audited)("%s", (rpc) => {
  test("leaves an entry: who did what to which resource, from where", async () => {
    const { answer, resource, actor } = (await calls[rpc]?.()) ?? expect.fail();
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    const entry = await entryOf(rpc, answer);
    const by = actor ?? userActor((await admin("GET", "/auth/me")).body);
    expect(entry).toMatchObject({ actor: by, resource, result: "OK", remoteAddress: "127.0.0.1", count: 1 });
  });
});

test("what somebody may not do is in the log: who tried what on which resource", async () => {
  const driver = await actors.somebody();
  const { id } = await actors.newCharger();
  const answer = await driver.rest("DELETE", `/ocpp/chargers/${id}`);
  expect(answer.status).toBe(403);
  expect(await entryOf("charger.v1.ChargerService/DeleteCharger", answer)).toMatchObject({
    actor: userActor(driver),
    resource: `chargers/${id}`,
    result: "ACCESS_DENIED",
    count: 1,
  });
});

test("what an API key does is told of its user and of the key", async () => {
  const { secret, apiKey } = (await actors.newApiKey()).body;
  const answer = await restOf(env.rest, secret)("POST", "/ocpp/idTokens", { idToken: "BY-PROGRAM" });
  const entry = await entryOf("charger.v1.IdTokenService/CreateIdToken", answer);
  expect(entry).toMatchObject({ actor: { kind: "USER", id: apiKey.userId, name: ADMIN.username, apiKeyId: apiKey.id }, result: "OK" });
  const { body } = await admin("GET", `/auth/auditEntries?apiKeyId=${apiKey.id}`);
  expect(body.auditEntries).toEqual([entry]);
});

test("a wrong password is told of the user; what was typed and is no username is not kept", async () => {
  const user = await actors.somebody();
  const logIn = (username: string) => actors.anybody("POST", "/auth/login", { username, password: "this is not the password" });
  const wrong = { actor: nobody, result: "INVALID_CREDENTIALS", remoteAddress: "127.0.0.1" };
  const known = await entryOf("auth.v1.UserService/LogIn", await logIn(user.username));
  expect(known).toMatchObject({ ...wrong, resource: `users/${user.id}`, details: { username: user.username } });
  const unknown = await entryOf("auth.v1.UserService/LogIn", await logIn("my-secret-passphrase"));
  expect(unknown).toMatchObject({ ...wrong, resource: "", details: {} });
});

test("a refresh token that is shown again is in the log once", async () => {
  const user = await actors.somebody();
  const refresh = (refreshToken: string) => actors.anybody("POST", "/auth/refresh", { refreshToken });
  const { body } = await refresh(user.refreshToken);
  await refresh(body.refreshToken);
  const reused = await refresh(user.refreshToken);
  expect(reused.status).toBe(401);
  const entry = await entryOf("auth.v1.UserService/RefreshTokens", reused);
  expect(entry).toMatchObject({ actor: userActor(user), resource: `users/${user.id}`, result: "REFRESH_TOKEN_REUSED" });
  const { body: all } = await admin("GET", `/auth/auditEntries?result=REFRESH_TOKEN_REUSED`);
  expect(all.auditEntries).toEqual([entry]);
});

test("commands that a change brings with it are told one by one, and what was refused with its change is not told as done", async () => {
  const { chargerId, id } = await actors.activeTransaction();
  const answer = await admin("PATCH", `/ocpp/chargers/${chargerId}`, { availability: "UNAVAILABLE" });
  const told = await eventually(async () => {
    const entries = await entriesOf("charger.v1.ChargerService/UpdateCharger", answer);
    return entries.length === 3 && entries;
  });
  expect(told.map(({ details }) => details.ocppAction ?? details.availability).sort()).toEqual([
    "ChangeAvailability",
    "RemoteStopTransaction",
    "UNAVAILABLE",
  ]);
  const inUse = await admin("DELETE", `/ocpp/chargers/${chargerId}`);
  expect([inUse.status, id]).toEqual([400, expect.any(Number)]);
  const refused = await entryOf("charger.v1.ChargerService/DeleteCharger", inUse);
  expect(refused).toMatchObject({ resource: `chargers/${chargerId}`, result: "CHARGER_IN_USE" });
});

test("what a charger does to itself is told of the charger", async () => {
  const { id, password } = await actors.newCharger();
  const rotated = await admin("POST", `/ocpp/chargers/${id}:rotatePassword`, { waitSeconds: 1 });
  expect(rotated.body.password).not.toBe(password);
  const charger = await actors.connect(id, password);
  charger.handle("ChangeConfiguration", () => ({ status: "Accepted" }));
  await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
  await eventually(async () => (await admin("GET", `/ocpp/chargers/${id}/commands`)).body.commands[0].state === "ACCEPTED");
  await charger.close();
  const again = await actors.connect(id, rotated.body.password);
  const told = await eventually(async () => {
    const { body } = await admin("GET", `/auth/auditEntries?actorId=${id}`);
    return body.auditEntries.length > 0 && body.auditEntries;
  });
  expect(told).toMatchObject([
    {
      actor: { kind: "CHARGER", id },
      action: "ocpp/Connect",
      resource: `chargers/${id}`,
      details: { password: "rotated" },
      remoteAddress: "127.0.0.1",
    },
  ]);
  await again.close();
});

test("nothing of it is among the events", async () => {
  const { body } = await actors.anybody("POST", "/auth/login", ADMIN);
  const headers = { authorization: `Bearer ${body.accessToken}`, accept: "text/event-stream" };
  const reader = (await fetch(`${env.rest}/ocpp/events`, { headers })).body?.getReader();
  const { id } = await actors.newCharger();
  await entryOf("charger.v1.ChargerService/DeleteCharger", await admin("DELETE", `/ocpp/chargers/${id}`));
  const last = await actors.newCharger();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(`"${last.id}"`)) text += decoder.decode((await reader?.read())?.value, { stream: true });
  await reader?.cancel();
  expect(text).toContain("chargemesh.charger.v1.ChargerDeleted");
  expect(text).not.toMatch(/chargemesh\.audit|AuditEntry/);
});
