import { randomUUID } from "node:crypto";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import {
  ListTransactionsRequest,
  StartTransactionRequest,
  StopTransactionRequest,
} from "@chargemesh/contracts/charger/v1/transaction_service";
import type { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectCharger, type TestCharger } from "../charger.ts";
import { call, freshPlace, given, type Place, refusal, type Service, startService } from "../service.ts";

let place: Place;
let service: Service;
let operator: Metadata;
let charger: TestCharger;
/** What the charger says to each CALL of ours, and what these were. */
let says: (action: string) => object = () => ({ status: "Accepted" });
const asked: { action: string; payload: object }[] = [];

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  operator = place.as("OPERATOR");
  await createCharger("offline");
  await createCharger("closed", { availability: "UNAVAILABLE" });
  charger = await connectCharger(service, await createCharger("online"), (action, payload) => {
    asked.push({ action, payload });
    return says(action);
  });
});
afterAll(async () => {
  await charger?.leave();
  await service?.stop();
  await place?.leave();
});

const createCharger = async (id: string, fields: Partial<Charger> = {}) => {
  const request = { charger: Charger.fromPartial({ id, ...fields }) };
  return given((await call(service.chargers, service.chargers.createCharger, request, operator)).charger);
};
const createIdToken = async (idToken: string, fields: Partial<IdToken> = {}) =>
  call(service.idTokens, service.idTokens.createIdToken, { idToken: IdToken.fromPartial({ idToken, ...fields }) }, operator);
const updateIdToken = (idToken: string, fields: Partial<IdToken>, updateMask: string[]) =>
  call(service.idTokens, service.idTokens.updateIdToken, { idToken: IdToken.fromPartial({ idToken, ...fields }), updateMask }, operator);
const idTokensOf = async (as: Metadata) =>
  (await call(service.idTokens, service.idTokens.listIdTokens, { pageSize: 0, pageToken: "", userId: "" }, as)).idTokens;
const start = async (fields: Partial<StartTransactionRequest>, as = operator) => {
  const request = StartTransactionRequest.fromPartial({ chargerId: "offline", ...fields });
  return given((await call(service.transactions, service.transactions.startTransaction, request, as)).command);
};
const stop = async (id: string, as = operator, fields: Partial<StopTransactionRequest> = {}) => {
  const request = StopTransactionRequest.fromPartial({ ...fields, id });
  return given((await call(service.transactions, service.transactions.stopTransaction, request, as)).command);
};
const get = async (id: string, as = operator) =>
  given((await call(service.transactions, service.transactions.getTransaction, { id }, as)).transaction);
const list = (fields: Partial<ListTransactionsRequest> = {}, as = operator) =>
  call(service.transactions, service.transactions.listTransactions, ListTransactionsRequest.fromPartial(fields), as);
const meterValues = (transactionId: string, as = operator, pageSize = 0, pageToken = "") =>
  call(service.transactions, service.transactions.listMeterValues, { transactionId, pageSize, pageToken }, as);
const commandsOf = async (chargerId: string, as = operator) =>
  (await call(service.commands, service.commands.listCommands, { chargerId, pageSize: 0, pageToken: "" }, as)).commands;

let meter = 0;
/** The charger says that a transaction started, on a connector of its own each time, so that none ends another. */
const begin = async (idTag: string, connectorId = ++meter): Promise<string> => {
  const timestamp = new Date().toISOString();
  const answer = await charger.call<{ transactionId: number }>("StartTransaction", { connectorId, idTag, meterStart: meter, timestamp });
  return String(answer.transactionId);
};
const end = (id: string) =>
  charger.call("StopTransaction", { transactionId: Number(id), meterStop: 10_000, timestamp: new Date().toISOString() });
const idsOf = ({ transactions }: { transactions: { id: string }[] }) => transactions.map(({ id }) => id);

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
  await createIdToken("S-ok");
  await createIdToken("S-blocked", { status: "BLOCKED" });
  await createIdToken("S-expired", { expiryTime: new Date(Date.now() - 1) });
  await createIdToken("S-of-blocked", { parentIdToken: "S-BLOCKED" });
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
  await createIdToken("S-Offline");
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
  const commands = await Promise.all([1, 2, 3, 4].map(() => start({}, asAda)));
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
  await createIdToken("bob-1", { userId: bob, status: "BLOCKED" });
  await createIdToken("bob-2", { userId: bob });
  await createIdToken("bob-3", { userId: bob });
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
  await createIdToken("carol's", { userId: randomUUID() });
  await createIdToken("nobody's");
  const driver = place.as("DRIVER");
  expect(await refusal(start({ idToken: "carol's" }, driver))).toEqual(notFound("ID_TOKEN"));
  expect(await refusal(start({ idToken: "nobody's" }, driver))).toEqual(notFound("ID_TOKEN"));
  expect(await idTokensOf(driver)).toEqual([]);
});

test("a driver starts, sees and stops their own, and the same key gets the same commands", async () => {
  const dora = randomUUID();
  const asDora = place.as("DRIVER", dora);
  await createIdToken("dora", { userId: dora });
  says = () => ({ status: "Accepted" });
  const started = await start({ chargerId: "online", connectorId: 7, idempotencyKey: "start" }, asDora);
  expect(started).toMatchObject({ state: "ACCEPTED", status: "Accepted", response: { status: "Accepted" } });
  expect(asked.at(-1)).toEqual({ action: "RemoteStartTransaction", payload: { idTag: "dora", connectorId: 7 } });
  const id = await begin("dora", 7);
  expect(await refusal(start({ chargerId: "online" }, asDora))).toEqual(failed("ID_TOKEN_IN_USE"));
  // Though the id token is in use now, by what the first one led to.
  const again = await start({ chargerId: "online", connectorId: 7, idempotencyKey: "start" }, asDora);
  expect(again).toMatchObject({ id: started.id, transactionId: id });

  expect(await get(id, asDora)).toMatchObject({ chargerId: "online", connectorId: 7, idToken: "dora", userId: dora, state: "ACTIVE" });
  const stopped = await stop(id, asDora, { idempotencyKey: "stop" });
  expect(stopped).toMatchObject({ action: "RemoteStopTransaction", payload: { transactionId: Number(id) }, state: "ACCEPTED" });
  await end(id);
  expect(await get(id, asDora)).toMatchObject({ state: "STOPPED" });
  expect(await refusal(stop(id, asDora))).toEqual(failed("TRANSACTION_STOPPED"));
  expect((await stop(id, asDora, { idempotencyKey: "stop" })).id).toBe(stopped.id);
  expect((await commandsOf("online", asDora)).map((command) => command.id)).toEqual([stopped.id, started.id]);
});

test("what a charger refuses is no error", async () => {
  await createIdToken("S-refused");
  says = () => ({ status: "Rejected" });
  expect(await start({ chargerId: "online", idToken: "S-refused" })).toMatchObject({ state: "REJECTED", status: "Rejected" });
  says = () => ({ status: "Accepted" });
});

test("what is not there, and what is another's, is not found", async () => {
  const [grace, heidi] = [randomUUID(), randomUUID()];
  await createIdToken("grace", { userId: grace });
  const id = await begin("grace");
  const unknown = notFound("TRANSACTION");
  const asHeidi = place.as("DRIVER", heidi);
  for (const refusedId of [id, "999999", "0", "-1", "1.5", "01", "1e3", " 1", "2147483648", "99999999999999999999", "x", "x".repeat(300)]) {
    expect(await refusal(get(refusedId, asHeidi)), refusedId).toEqual(unknown);
    expect(await refusal(stop(refusedId, asHeidi)), refusedId).toEqual(unknown);
    expect(await refusal(meterValues(refusedId, asHeidi)), refusedId).toEqual(unknown);
    if (refusedId !== id) expect(await refusal(get(refusedId)), refusedId).toEqual(unknown);
  }
  expect(await refusal(get(""))).toEqual(invalid("id"));
  expect(await get(id)).toMatchObject({ id, userId: grace });
  expect(idsOf(await list({}, place.as("DRIVER", grace)))).toEqual([id]);
  expect(idsOf(await list({ chargerId: "online", idToken: "grace" }, asHeidi))).toEqual([]);
});

test("a list is newest first, narrowed, page by page, each once", async () => {
  await createIdToken("Pages");
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.unshift(await begin(i % 2 === 0 ? "pages" : "PAGES"));
  for (const id of ids.slice(0, 3)) await end(id);
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await list({ idToken: "Pages", pageSize: 3, pageToken });
    expect(page.transactions.length).toBeLessThanOrEqual(3);
    seen.push(...idsOf(page));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(ids);
  expect(idsOf(await list({ idToken: "Pages", state: "STOPPED" }))).toEqual(ids.slice(0, 3));
  expect(idsOf(await list({ idToken: "Pages", state: "ACTIVE", chargerId: "online" }))).toEqual(ids.slice(3));
  expect(idsOf(await list({ idToken: "Pages", chargerId: "offline" }))).toEqual([]);
  expect(idsOf(await list()).slice(0, 7)).toEqual(ids);
});

test.each([
  ["no token", "garbage"],
  ["another list's", Buffer.from('["2026-01-01T00:00:00.000Z","a"]').toString("base64url")],
  ["no number", Buffer.from('["1; drop"]').toString("base64url")],
  ["a number that no transaction has", Buffer.from("[2147483648]").toString("base64url")],
])("a page token with %s is refused", async (_what, pageToken) => {
  expect(await refusal(list({ pageToken }))).toEqual(invalid("page_token"));
});

test("a negative page size and a state that is not defined are refused", async () => {
  expect(await refusal(list({ pageSize: -1, state: "UNRECOGNIZED" }))).toEqual(invalid("page_size", "state"));
});

test("readings are listed oldest first, page by page, each once, also where many are of one moment", async () => {
  const ivan = randomUUID();
  await createIdToken("ivan", { userId: ivan });
  const asIvan = place.as("DRIVER", ivan);
  const id = await begin("ivan", 500);
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const reading = (value: number, second: number) => ({ timestamp: at(second), sampledValue: [{ value: String(value) }] });
  // Five moments with six readings each, told out of order, one of the messages twice.
  const told = [4, 2, 0, 3, 1].flatMap((second) => [0, 1, 2, 3, 4, 5].map((i) => reading(100 * second + i, second)));
  const message = (values: object[]) => ({ connectorId: 500, transactionId: Number(id), meterValue: values });
  for (const part of [told.slice(0, 20), told.slice(0, 20), told.slice(20)]) await charger.call("MeterValues", message(part));
  const seen: { value: number; time: number }[] = [];
  let pageToken = "";
  do {
    const page = await meterValues(id, asIvan, 4, pageToken);
    expect(page.meterValues.length).toBeLessThanOrEqual(4);
    seen.push(...page.meterValues.map((one) => ({ value: Number(one.sampledValues[0]?.value), time: given(one.time).getTime() })));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen.map(({ value }) => value).sort((a, b) => a - b)).toEqual(
    [0, 1, 2, 3, 4].flatMap((s) => [0, 1, 2, 3, 4, 5].map((i) => 100 * s + i)),
  );
  expect(seen.map(({ time }) => time)).toEqual(seen.map(({ time }) => time).toSorted((a, b) => a - b));
  const [first] = (await meterValues(id)).meterValues;
  expect(first).toEqual({
    time: new Date(at(0)),
    sampledValues: [
      expect.objectContaining({
        context: "Sample.Periodic",
        format: "Raw",
        measurand: "Energy.Active.Import.Register",
        location: "Outlet",
        unit: "Wh",
      }),
    ],
  });
  for (const token of ["garbage", Buffer.from(`["${at(0)}","no hash"]`).toString("base64url")]) {
    expect(await refusal(meterValues(id, asIvan, 0, token))).toEqual(invalid("page_token"));
  }
  expect(await refusal(meterValues(id, asIvan, -1))).toEqual(invalid("page_size"));
});

test("a charger where something charges is not deleted, and made unavailable it stops first", async () => {
  await createIdToken("judy");
  const made = await createCharger("busy");
  const before = asked.length;
  const busy = await connectCharger(service, made, (action, payload) => {
    asked.push({ action, payload });
    return { status: action === "ChangeAvailability" ? "Scheduled" : "Accepted" };
  });
  try {
    const timestamp = new Date().toISOString();
    const { transactionId } = await busy.call<{ transactionId: number }>("StartTransaction", {
      connectorId: 1,
      idTag: "judy",
      meterStart: 0,
      timestamp,
    });
    const { chargers } = service;
    expect(await refusal(call(chargers, chargers.deleteCharger, { id: "busy" }, operator))).toEqual(failed("CHARGER_IN_USE"));
    const closing = { charger: Charger.fromPartial({ id: "busy", availability: "UNAVAILABLE" }), updateMask: ["availability"] };
    await call(chargers, chargers.updateCharger, closing, operator);
    await expect
      .poll(async () => (await commandsOf("busy")).map(({ action, state, status }) => [action, state, status]), { timeout: 10_000 })
      .toEqual([
        ["ChangeAvailability", "ACCEPTED", "Scheduled"],
        ["RemoteStopTransaction", "ACCEPTED", "Accepted"],
      ]);
    expect(asked.slice(before)).toEqual([
      { action: "RemoteStopTransaction", payload: { transactionId } },
      { action: "ChangeAvailability", payload: { connectorId: 0, type: "Inoperative" } },
    ]);
    await busy.call("StopTransaction", { transactionId, meterStop: 5, timestamp: new Date().toISOString() });
    await call(chargers, chargers.deleteCharger, { id: "busy" }, operator);
    expect(await get(String(transactionId))).toMatchObject({ chargerId: "busy", state: "STOPPED", energyWh: 5 });
  } finally {
    await busy.leave();
  }
});
