import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";

// A start is ingested exactly once, by content: on whatever socket, replica or process it comes again (decision 5).

let site: Site;

beforeAll(async () => {
  site = await openSite();
  // A token each, so that no test has another's in use.
  for (let i = 1; i <= 9; i++) await site.addIdToken(`CARD-${i}`);
});
afterAll(() => site?.leave());

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
const startOf = (idTag: string, fields: object = {}) => ({ connectorId: 1, idTag, meterStart: 1_000, timestamp: ago(1), ...fields });
const startsTold = async (chargerId: string): Promise<string[]> =>
  (await site.told())
    .filter(({ type, data }) => type === "TransactionStarted" && data.transaction.chargerId === chargerId)
    .map(({ subject }) => subject);
const known = async (chargerId: string) => (await site.transactions(chargerId)).map(({ id, flags }) => [Number(id), flags]);

test("a start that comes again with other message ids, in other case and after a reconnect is the same transaction", async () => {
  const first = await site.join("S-1");
  const start = startOf("card-1");
  const answer = await first.result("StartTransaction", start);
  expect(answer).toEqual({ transactionId: expect.any(Number), idTagInfo: { status: "Accepted" } });
  expect(await first.result("StartTransaction", start)).toEqual(answer);
  expect(await first.result("StartTransaction", { ...start, idTag: "CaRd-1" })).toEqual(answer);
  expect((await first.call("StartTransaction", start, "the-same-id"))[2]).toEqual(answer);
  expect((await first.call("StartTransaction", start, "the-same-id"))[2]).toEqual(answer);
  first.socket.terminate();
  const second = await site.connect("S-1");
  expect(await second.result("StartTransaction", start)).toEqual(answer);
  await second.boot();
  expect(await second.result("StartTransaction", start)).toEqual(answer);
  // The same moment, as other zones write it.
  const elsewhere = new Date(Date.parse(start.timestamp) + 2 * 3_600_000).toISOString().replace("Z", "+02:00");
  expect(await second.result("StartTransaction", { ...start, timestamp: elsewhere })).toEqual(answer);
  const kept = await site.transactions("S-1");
  expect(kept.map(({ id, idToken, flags }) => [id, idToken, flags])).toEqual([[String(answer.transactionId), "card-1", []]]);
  expect(await startsTold("S-1")).toEqual([String(answer.transactionId)]);
  await second.leave();
});

test("a start that comes again on another replica, and after a restart, is the same transaction", async () => {
  const start = startOf("CARD-2");
  const first = await site.join("S-2");
  const answer = await first.result("StartTransaction", start);
  const other = await startService(site.place);
  const second = await site.connect("S-2", {}, other);
  expect(await second.result("StartTransaction", start)).toEqual(answer);
  expect((await first.closed).code).toBe(1001);
  await other.stop();
  expect((await second.closed).code).toBe(1012);
  const restarted = await startService(site.place);
  const third = await site.connect("S-2", {}, restarted);
  expect(await third.result("StartTransaction", start)).toEqual(answer);
  await third.leave();
  await restarted.stop();
  expect(await known("S-2")).toEqual([[answer.transactionId, []]]);
  expect(await startsTold("S-2")).toEqual([String(answer.transactionId)]);
});

test("the same start at the same time on two replicas is one transaction", async () => {
  const start = startOf("CARD-3");
  const other = await startService(site.place);
  const first = await site.join("S-3");
  // Nothing can be written until both are at it.
  const owner = await site.hold("lock table transaction in exclusive mode");
  first.say([2, "first", "StartTransaction", start]);
  await site.blocked(1);
  const second = await site.connect("S-3", {}, other);
  const answering = second.result("StartTransaction", start);
  await site.blocked(2);
  await owner.release();
  const answer = await answering;
  expect(answer).toEqual({ transactionId: expect.any(Number), idTagInfo: { status: "Accepted" } });
  expect(await known("S-3")).toEqual([[answer.transactionId, []]]);
  expect(await startsTold("S-3")).toEqual([String(answer.transactionId)]);
  await second.leave();
  await other.stop();
});

test("a charger that does not wait for answers gets the same one for each", async () => {
  const station = await site.join("S-4");
  const start = startOf("CARD-4");
  const answers = await Promise.all(Array.from({ length: 25 }, () => station.result("StartTransaction", start)));
  expect(new Set(answers.map(({ transactionId }) => transactionId)).size).toBe(1);
  expect(new Set(answers.map(({ idTagInfo }) => idTagInfo.status))).toEqual(new Set(["Accepted"]));
  expect(await known("S-4")).toEqual([[answers[0].transactionId, []]]);
  await station.leave();
});

test("what is said again uses up no number: there are no more than 2^31", async () => {
  const station = await site.join("S-12");
  const first = await station.result("StartTransaction", startOf("AGAIN", { meterStart: 1 }));
  const start = startOf("AGAIN", { meterStart: 2 });
  const stop = { transactionId: -7, meterStop: 7, timestamp: ago(1) };
  for (let i = 0; i < 10; i++) {
    expect((await station.result("StartTransaction", start)).transactionId).toBe(first.transactionId + 1);
    await station.result("StopTransaction", stop);
  }
  const next = await station.result("StartTransaction", startOf("AGAIN", { meterStart: 3 }));
  expect(next.transactionId).toBe(first.transactionId + 3);
  await station.leave();
});

test("a start that differs in anything is another transaction", async () => {
  const station = await site.join("S-5");
  const start = startOf("CARD-5");
  const later = new Date(Date.parse(start.timestamp) + 1).toISOString();
  const ids = new Set<number>();
  for (const fields of [{}, { connectorId: 2 }, { meterStart: 1_001 }, { timestamp: later }, { idTag: "CARD-6" }, { meterStart: -1 }]) {
    ids.add((await station.result("StartTransaction", { ...start, ...fields })).transactionId);
  }
  expect(ids.size).toBe(6);
  // Nor is it that of another charger.
  const other = await site.join("S-6");
  ids.add((await other.result("StartTransaction", start)).transactionId);
  expect(ids.size).toBe(7);
  expect((await site.transactions("S-5")).length).toBe(6);
  await Promise.all([station.leave(), other.leave()]);
});

test("a start by a clock that was never set is told apart by boots once the charger has shown that it knew of the last one", async () => {
  const station = await site.join("S-7");
  const start = startOf("CARD-7", { timestamp: "1970-01-01T00:00:07Z" });
  const first = await station.result("StartTransaction", start);
  expect(await station.result("StartTransaction", start)).toEqual(first);
  // Its answer may have been lost with the power: whoever says it again means the same one.
  await station.boot();
  expect(await station.result("StartTransaction", start)).toEqual(first);
  await station.boot();
  expect(await station.result("StartTransaction", start)).toEqual(first);
  const reading = { timestamp: "1970-01-01T00:00:08Z", sampledValue: [{ value: "1100" }] };
  await station.result("MeterValues", { connectorId: 1, transactionId: first.transactionId, meterValue: [reading] });
  expect(await station.result("StartTransaction", start)).toEqual(first);
  await station.boot();
  const second = await station.result("StartTransaction", start);
  expect(second.transactionId).not.toBe(first.transactionId);
  expect(await station.result("StartTransaction", start)).toEqual(second);
  const [newest, oldest] = await site.transactions("S-7");
  expect(newest).toMatchObject({ id: String(second.transactionId), state: "ACTIVE", startTime: new Date(7_000) });
  expect(newest?.flags).toContain("CLOCK_UNSET");
  expect(oldest).toMatchObject({ id: String(first.transactionId), state: "STOPPED", flags: ["CLOCK_UNSET", "STOP_MISSING"] });
  expect(await startsTold("S-7")).toEqual([first, second].map(({ transactionId }) => String(transactionId)));
  await station.leave();
});

test("a start that a superseded socket has in hand is the one that the next socket says again after a boot", async () => {
  const start = startOf("CARD-13", { timestamp: "1970-01-01T00:00:07Z" });
  const first = await site.join("S-13");
  const owner = await site.hold("lock table transaction in exclusive mode");
  first.say([2, "first", "StartTransaction", start]);
  await site.blocked(1);
  const second = await site.connect("S-13");
  await second.boot();
  const answering = second.result("StartTransaction", start);
  await site.blocked(2);
  await owner.release();
  const { transactionId } = await answering;
  expect(await known("S-13")).toEqual([[transactionId, ["ID_TOKEN_UNKNOWN", "CLOCK_UNSET"]]]);
  expect(await startsTold("S-13")).toEqual([String(transactionId)]);
  await second.leave();
});

test.each([
  ["2014", () => "2014-12-31T23:59:59.999Z", ["CLOCK_UNSET"]],
  ["2015", () => "2015-01-01T00:00:00Z", ["OFFLINE_START"]],
  ["75 s ago", () => ago(75), ["OFFLINE_START"]],
  ["30 s ago", () => ago(30), []],
  ["10 min ahead of our clock", () => ago(-600), []],
])("a start of %s is flagged", async (when, timestamp, flags) => {
  const id = `S-8-${when.replaceAll(" ", "-")}`;
  const station = await site.join(id);
  const idTag = `T-${when.slice(0, 17)}`;
  await site.addIdToken(idTag);
  const { transactionId } = await station.result("StartTransaction", startOf(idTag, { timestamp: timestamp() }));
  expect(await known(id)).toEqual([[transactionId, flags]]);
  await station.leave();
});

test("what was active on a connector ends when another start comes there, and its late stop corrects it", async () => {
  const station = await site.join("S-9");
  const first = await station.result("StartTransaction", startOf("CARD-8", { timestamp: ago(50) }));
  const reading = { timestamp: ago(40), sampledValue: [{ value: "1400" }] };
  await station.result("MeterValues", { connectorId: 1, transactionId: first.transactionId, meterValue: [reading] });
  // With the same token: it is in use nowhere else.
  const second = await station.result("StartTransaction", startOf("CARD-8", { meterStart: 1_500, timestamp: ago(20) }));
  expect(second.idTagInfo).toEqual({ status: "Accepted" });
  expect(await site.transaction(second.transactionId)).toMatchObject({ state: "ACTIVE", flags: [] });
  expect(await site.transaction(first.transactionId)).toMatchObject({
    state: "STOPPED",
    flags: ["STOP_MISSING"],
    stopTime: new Date(reading.timestamp),
    meterStopWh: undefined,
    energyWh: 400,
    stopReason: "",
  });
  const stop = { transactionId: first.transactionId, meterStop: 1_499, timestamp: ago(30) };
  expect(await station.result("StopTransaction", stop)).toEqual({});
  expect(await site.transaction(first.transactionId)).toMatchObject({
    state: "STOPPED",
    flags: [],
    stopTime: new Date(stop.timestamp),
    energyWh: 499,
    stopReason: "Local",
  });
  // The one that goes on is untouched.
  expect(await site.transaction(second.transactionId)).toMatchObject({ state: "ACTIVE", stopTime: undefined });
  const told = (await site.told()).filter(({ subject }) => subject === String(first.transactionId)).map(({ type }) => type);
  expect(told).toEqual(["TransactionStarted", "TransactionUpdated", "TransactionStopped", "TransactionFlagged", "TransactionStopped"]);
  await station.leave();
});

test("a start delivered late ends nothing that began after it", async () => {
  const station = await site.join("S-10");
  const now = await station.result("StartTransaction", startOf("CARD-9", { timestamp: ago(5) }));
  const late = await station.result("StartTransaction", startOf("OTHER", { timestamp: ago(3_600) }));
  expect(await site.transaction(now.transactionId)).toMatchObject({ state: "ACTIVE" });
  expect(await site.transaction(late.transactionId)).toMatchObject({ state: "ACTIVE", flags: ["ID_TOKEN_UNKNOWN", "OFFLINE_START"] });
  await station.leave();
});

test("a start whose answer was lost with the socket is the same transaction", async () => {
  const station = await site.join("S-11");
  const start = startOf("LOST");
  station.say([2, "lost", "StartTransaction", start]);
  station.socket.terminate();
  const again = await site.connect("S-11");
  const { transactionId } = await again.result("StartTransaction", start);
  expect((await known("S-11")).map(([id]) => id)).toEqual([transactionId]);
  await eventually(async () => (await startsTold("S-11")).length === 1);
  await again.leave();
});
