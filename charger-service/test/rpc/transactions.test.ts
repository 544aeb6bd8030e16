import { randomUUID } from "node:crypto";
import { ListTransactionsRequest } from "@chargemesh/contracts/charger/v1/transaction_service";
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

beforeAll(async () => {
  site = await openSite();
  ({ place, service } = site);
  operator = place.as("OPERATOR");
  charger = await site.join("online");
});
afterAll(async () => {
  await charger?.leave();
  await site?.leave();
});

const get = async (id: string, as = operator) =>
  given((await call(service.transactions, service.transactions.getTransaction, { id }, as)).transaction);
const stop = (id: string, as = operator) =>
  call(service.transactions, service.transactions.stopTransaction, { id, waitSeconds: 0, ttlSeconds: 0, idempotencyKey: "" }, as);
const list = (fields: Partial<ListTransactionsRequest> = {}, as = operator) =>
  call(service.transactions, service.transactions.listTransactions, ListTransactionsRequest.fromPartial(fields), as);
const meterValues = (transactionId: string, as = operator, pageSize = 0, pageToken = "") =>
  call(service.transactions, service.transactions.listMeterValues, { transactionId, pageSize, pageToken }, as);

let connectors = 0;
/** The charger says that a transaction started, on a connector of its own, so that none ends another. */
const begin = async (idTag: string, connectorId = ++connectors): Promise<string> => {
  const timestamp = new Date().toISOString();
  const { transactionId } = await charger.result("StartTransaction", { connectorId, idTag, meterStart: 0, timestamp });
  return String(transactionId);
};
const end = (id: string) =>
  charger.result("StopTransaction", { transactionId: Number(id), meterStop: 10_000, timestamp: new Date().toISOString() });
const idsOf = ({ transactions }: { transactions: { id: string }[] }) => transactions.map(({ id }) => id);

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const unknown = { code: "NOT_FOUND", reason: "TRANSACTION_NOT_FOUND", fields: [] };

test("whose card stopped a driver's transaction is not told to the driver, unless it was their own", async () => {
  const [mallory, niaj] = [randomUUID(), randomUUID()];
  await site.addIdToken("mallory-1", { userId: mallory, parentIdToken: "family" });
  await site.addIdToken("MALLORY-2", { userId: mallory, parentIdToken: "family" });
  await site.addIdToken("niaj", { userId: niaj, parentIdToken: "family" });
  const stoppedBy = async (idTag: string): Promise<string> => {
    const id = await begin("mallory-1");
    const timestamp = new Date().toISOString();
    await charger.result("StopTransaction", { transactionId: Number(id), meterStop: 1, timestamp, idTag });
    return id;
  };
  const [byOther, byOwn, byNobody] = [await stoppedBy("niaj"), await stoppedBy("mallory-2"), await stoppedBy("stranger")];
  const asMallory = place.as("DRIVER", mallory);
  const told = async (as: Metadata) => (await list({}, as)).transactions.slice(0, 3).map(({ id, stopIdToken }) => [id, stopIdToken]);
  expect(await told(asMallory)).toEqual([
    [byNobody, ""],
    [byOwn, "mallory-2"],
    [byOther, ""],
  ]);
  expect(await told(operator)).toEqual([
    [byNobody, "stranger"],
    [byOwn, "mallory-2"],
    [byOther, "niaj"],
  ]);
  expect([await get(byOther, asMallory), await get(byOther)]).toMatchObject([{ stopIdToken: "" }, { stopIdToken: "niaj" }]);
});

test("what is not there, and what is another's, is not found", async () => {
  const [grace, heidi] = [randomUUID(), randomUUID()];
  await site.addIdToken("grace", { userId: grace });
  const id = await begin("grace");
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
  await site.addIdToken("Pages");
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
  await site.addIdToken("ivan", { userId: ivan });
  const asIvan = place.as("DRIVER", ivan);
  const id = await begin("ivan", 500);
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const reading = (value: number, second: number) => ({ timestamp: at(second), sampledValue: [{ value: String(value) }] });
  // Five moments with six readings each, told out of order, one of the messages twice.
  const told = [4, 2, 0, 3, 1].flatMap((second) => [0, 1, 2, 3, 4, 5].map((i) => reading(100 * second + i, second)));
  const message = (values: object[]) => ({ connectorId: 500, transactionId: Number(id), meterValue: values });
  for (const part of [told.slice(0, 20), told.slice(0, 20), told.slice(20)]) await charger.result("MeterValues", message(part));
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
