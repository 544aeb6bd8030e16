import { randomUUID } from "node:crypto";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import { StartTransactionRequest, StopTransactionRequest } from "@chargemesh/contracts/charger/v1/transaction_service";
import type { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "../ocpp/site.ts";
import type { Station } from "../ocpp/station.ts";
import { call, given, type Place, refusal, type Service } from "../service.ts";

let site: Site;
let place: Place;
let service: Service;
let operator: Metadata;
let charger: Station;
/** What the charger says to each CALL of ours. */
let says = { status: "Accepted" };

beforeAll(async () => {
  site = await openSite();
  ({ place, service } = site);
  operator = place.as("OPERATOR");
  await site.register("offline");
  await site.register("closed", { availability: "UNAVAILABLE" });
  charger = await site.join("online", { react: () => says });
});
afterAll(async () => {
  await charger?.leave();
  await site?.leave();
});

const updateIdToken = (idToken: string, fields: Partial<IdToken>, updateMask: string[]) =>
  call(service.idTokens, service.idTokens.updateIdToken, { idToken: IdToken.fromPartial({ idToken, ...fields }), updateMask }, operator);
const idTokensOf = async (as: Metadata) =>
  (await call(service.idTokens, service.idTokens.listIdTokens, { pageSize: 0, pageToken: "", userId: "" }, as)).idTokens;
const start = async (fields: Partial<StartTransactionRequest>, as = operator, deadlineMs?: number) => {
  const request = StartTransactionRequest.fromPartial({ chargerId: "offline", ...fields });
  return given((await call(service.transactions, service.transactions.startTransaction, request, as, deadlineMs)).command);
};
const stop = async (id: string, as = operator, fields: Partial<StopTransactionRequest> = {}) => {
  const request = StopTransactionRequest.fromPartial({ ...fields, id });
  return given((await call(service.transactions, service.transactions.stopTransaction, request, as)).command);
};
const get = async (id: string, as = operator) =>
  given((await call(service.transactions, service.transactions.getTransaction, { id }, as)).transaction);
const commandsOf = async (chargerId: string, as = operator) =>
  (await call(service.commands, service.commands.listCommands, { chargerId, pageSize: 0, pageToken: "" }, as)).commands;

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const notFound = (what: string) => ({ code: "NOT_FOUND", reason: `${what}_NOT_FOUND`, fields: [] });
const failed = (reason: string) => ({ code: "FAILED_PRECONDITION", reason, fields: [] });

test("an operator must say whose transaction it is", async () => {
  expect(await refusal(start({}))).toEqual(invalid("id_token"));
  expect(await refusal(start({ chargerId: "nobody" }))).toEqual(invalid("id_token"));
});

test.each<[string, Partial<StartTransactionRequest>, string]>([
  ["no charger", { chargerId: "" }, "charger_id"],
  ["a long charger id", { chargerId: "x".repeat(49) }, "charger_id"],
  ["a negative connector", { connectorId: -1 }, "connector_id"],
  ["a long id token", { idToken: "x".repeat(37) }, "id_token"],
  ["a negative wait", { waitSeconds: -1 }, "wait_seconds"],
  ["a time to live of more than a day", { ttlSeconds: 86_401 }, "ttl_seconds"],
  ["a long idempotency key", { idempotencyKey: "x".repeat(129) }, "idempotency_key"],
])("a start with %s is refused", async (_what, fields, field) => {
  expect(await refusal(start({ idToken: "any", ...fields }))).toEqual(invalid(field));
});

test("what a start needs must be there and may charge", async () => {
  await site.addIdToken("S-ok");
  await site.addIdToken("S-blocked", { status: "BLOCKED" });
  await site.addIdToken("S-expired", { expiryTime: new Date(Date.now() - 1) });
  await site.addIdToken("S-of-blocked", { parentIdToken: "S-BLOCKED" });
  expect(await refusal(start({ chargerId: "nobody", idToken: "S-ok" }))).toEqual(notFound("CHARGER"));
  expect(await refusal(start({ idToken: "S-nobody's" }))).toEqual(notFound("ID_TOKEN"));
  expect(await refusal(start({ idToken: "S-blocked" }))).toEqual(failed("ID_TOKEN_BLOCKED"));
  expect(await refusal(start({ idToken: "S-of-blocked" }))).toEqual(failed("ID_TOKEN_BLOCKED"));
  expect(await refusal(start({ idToken: "S-expired" }))).toEqual(failed("ID_TOKEN_EXPIRED"));
  expect(await refusal(start({ chargerId: "closed", idToken: "S-ok" }))).toEqual(failed("CHARGER_UNAVAILABLE"));
  expect(await commandsOf("offline")).toEqual([]);
  expect(await commandsOf("closed")).toEqual([]);
});

test("a start at an offline charger expires, or waits if it may", async () => {
  await site.addIdToken("S-Offline");
  const expired = await start({ idToken: "s-offline", connectorId: 2 });
  // The id token goes out as it was registered.
  expect(expired).toMatchObject({
    action: "RemoteStartTransaction",
    payload: { idTag: "S-Offline", connectorId: 2 },
    state: "EXPIRED",
    errorCode: "CHARGER_OFFLINE",
    transactionId: "",
  });
  const waits = await start({ idToken: "S-Offline", ttlSeconds: 3_600 });
  expect(waits).toMatchObject({ payload: { idTag: "S-Offline" }, state: "QUEUED" });
  expect(waits.payload).not.toHaveProperty("connectorId");
});

test("a driver who says no id token starts with their own, which is made once", async () => {
  const ada = randomUUID();
  const asAda = place.as("DRIVER", ada);
  expect(await idTokensOf(asAda)).toEqual([]);
  // All find that there is none, and none can make one yet.
  const table = await site.hold("lock table id_token in share row exclusive mode");
  const starting = Promise.all([1, 2, 3, 4].map(() => start({}, asAda)));
  await site.blocked(4);
  await table.release();
  const commands = await starting;
  const [own, ...others] = await idTokensOf(asAda);
  expect(others).toEqual([]);
  expect(own).toMatchObject({ idToken: expect.stringMatching(/^[A-Z0-9]{20}$/), type: "CENTRAL", status: "ACCEPTED", userId: ada });
  for (const command of commands) expect(command).toMatchObject({ payload: { idTag: own?.idToken }, state: "EXPIRED" });
  const [oldest] = await commandsOf("offline", asAda);
  expect(commands.map(({ id }) => id)).toContain(oldest?.id);
});

test("a driver's oldest id token that may charge is theirs to start with", async () => {
  const bob = randomUUID();
  const asBob = place.as("DRIVER", bob);
  await site.addIdToken("bob-1", { userId: bob, status: "BLOCKED" });
  await site.addIdToken("bob-2", { userId: bob });
  await site.addIdToken("bob-3", { userId: bob });
  expect(await start({}, asBob)).toMatchObject({ payload: { idTag: "bob-2" } });
  expect(await start({ idToken: "BOB-3" }, asBob)).toMatchObject({ payload: { idTag: "bob-3" } });
  expect(await refusal(start({ idToken: "bob-1" }, asBob))).toEqual(failed("ID_TOKEN_BLOCKED"));
});

test("a driver does not get around a block by asking again", async () => {
  const eve = randomUUID();
  const asEve = place.as("DRIVER", eve);
  await start({}, asEve);
  const [own] = await idTokensOf(asEve);
  await updateIdToken(given(own).idToken, { status: "BLOCKED" }, ["status"]);
  expect(await refusal(start({}, asEve))).toEqual(failed("ID_TOKEN_BLOCKED"));
  await updateIdToken(given(own).idToken, { status: "ACCEPTED", expiryTime: new Date(0) }, ["status", "expiry_time"]);
  expect(await refusal(start({}, asEve))).toEqual(failed("ID_TOKEN_EXPIRED"));
  expect(await idTokensOf(asEve)).toHaveLength(1);
});

test("another's id token does not exist for a driver", async () => {
  await site.addIdToken("carol's", { userId: randomUUID() });
  await site.addIdToken("nobody's");
  const driver = place.as("DRIVER");
  expect(await refusal(start({ idToken: "carol's" }, driver))).toEqual(notFound("ID_TOKEN"));
  expect(await refusal(start({ idToken: "nobody's" }, driver))).toEqual(notFound("ID_TOKEN"));
  expect(await idTokensOf(driver)).toEqual([]);
});

test("a driver starts, sees and stops their own, and the same key gets the same commands", async () => {
  const dora = randomUUID();
  const asDora = place.as("DRIVER", dora);
  await site.addIdToken("dora", { userId: dora });
  const started = await start({ chargerId: "online", connectorId: 7, idempotencyKey: "start" }, asDora);
  expect(started).toMatchObject({ state: "ACCEPTED", status: "Accepted", response: { status: "Accepted" } });
  expect(charger.asked.at(-1)).toMatchObject({ action: "RemoteStartTransaction", payload: { idTag: "dora", connectorId: 7 } });
  const timestamp = new Date().toISOString();
  const { transactionId } = await charger.result("StartTransaction", { connectorId: 7, idTag: "dora", meterStart: 0, timestamp });
  const id = String(transactionId);
  expect(await refusal(start({ chargerId: "online" }, asDora))).toEqual(failed("ID_TOKEN_IN_USE"));
  // Though the id token is in use now, by what the first one led to.
  const again = await start({ chargerId: "online", connectorId: 7, idempotencyKey: "start" }, asDora);
  expect(again).toMatchObject({ id: started.id, transactionId: id });

  expect(await get(id, asDora)).toMatchObject({ chargerId: "online", connectorId: 7, idToken: "dora", userId: dora, state: "ACTIVE" });
  const stopped = await stop(id, asDora, { idempotencyKey: "stop" });
  expect(stopped).toMatchObject({ action: "RemoteStopTransaction", payload: { transactionId: Number(id) }, state: "ACCEPTED" });
  await charger.result("StopTransaction", { transactionId, meterStop: 7, timestamp: new Date().toISOString() });
  expect(await get(id, asDora)).toMatchObject({ state: "STOPPED" });
  expect(await refusal(stop(id, asDora))).toEqual(failed("TRANSACTION_STOPPED"));
  expect((await stop(id, asDora, { idempotencyKey: "stop" })).id).toBe(stopped.id);
  expect((await commandsOf("online", asDora)).map((command) => command.id)).toEqual([stopped.id, started.id]);
});

test("what a charger refuses is no error", async () => {
  await site.addIdToken("S-refused");
  says = { status: "Rejected" };
  expect(await start({ chargerId: "online", idToken: "S-refused" })).toMatchObject({ state: "REJECTED", status: "Rejected" });
  says = { status: "Accepted" };
});

test("no answer is waited for longer than was asked, or than the caller waits", async () => {
  const silent = await site.join("silent", { react: () => undefined });
  await site.addIdToken("S-silent");
  const begun = performance.now();
  const asking = start({ chargerId: "silent", idToken: "S-silent", waitSeconds: 1 });
  await silent.isAsked("RemoteStartTransaction");
  expect(await asking).toMatchObject({ state: "SENT", endTime: undefined });
  expect(performance.now() - begun).toBeGreaterThan(990);
  // It waits its turn behind the first one; the caller hears of it before their own deadline.
  expect(await start({ chargerId: "silent", idToken: "S-silent", waitSeconds: 30 }, operator, 2_000)).toMatchObject({ state: "QUEUED" });
  await silent.leave();
});
