import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";
import type { Payload, Station } from "./station.ts";

// What is told of a charge beside its being there: the course of its power, whether it was broken off, and what was unusual about it.

let site: Site;
let station: Station;
let connectorId = 0;
const USER = randomUUID();
const POWER = "Power.Active.Import";

beforeAll(async () => {
  site = await openSite();
  station = await site.join("T-1");
  await site.addIdToken("OWN", { userId: USER, parentIdToken: "FAMILY" });
  await site.addIdToken("OWN-2", { userId: USER });
  await site.addIdToken("NEIGHBOUR", { userId: randomUUID(), parentIdToken: "FAMILY" });
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

const START = Date.now();
const at = (second: number): string => new Date(START + second * 1_000).toISOString();
const begin = async (idTag: string, fields: object = {}): Promise<number> => {
  const start = { connectorId: ++connectorId, idTag, meterStart: 1_000, timestamp: at(0), ...fields };
  return (await station.result("StartTransaction", start)).transactionId;
};
const stop = (transactionId: number, fields: object = {}) =>
  station.result("StopTransaction", { transactionId, meterStop: 1_300, timestamp: at(40), ...fields });
const told = async (type: string, transactionId: number): Promise<Payload[]> =>
  (await site.told()).filter((one) => one.type === type && one.subject === String(transactionId)).map(({ data }) => data);

const power = (second: number, value: number | string, more: object = {}) => ({
  timestamp: at(second),
  sampledValue: [{ value: String(value), measurand: POWER, unit: "W", ...more }],
});
const register = (second: number, wh: number) => ({ timestamp: at(second), sampledValue: [{ value: String(wh) }] });
const phase = (name: string, value: string) => ({ value, measurand: POWER, unit: "kW", phase: name });

test.each<[string, object[], [second: number, powerW: number][]]>([
  [
    "what the charger says of power",
    [power(10, 11_000), power(5, "3.7", { unit: "kW" }), power(20, 0)],
    [
      [5, 3_700],
      [10, 11_000],
      [20, 0],
    ],
  ],
  [
    "the sum of the phases",
    [{ timestamp: at(5), sampledValue: ["L1", "L2", "L3"].map((name) => phase(name, "3.7")) }, power(9, 7_000.24)],
    [
      [5, 11_100],
      [9, 7_000.2],
    ],
  ],
  [
    "the register, from start to stop",
    [register(10, 1_100), register(30, 1_250)],
    [
      [10, 36_000],
      [30, 27_000],
      [40, 18_000],
    ],
  ],
  [
    "the register where power was said but once",
    [power(40, 0), register(20, 1_100)],
    [
      [20, 18_000],
      [40, 36_000],
    ],
  ],
  ["registers that count from the meter's first day", [register(10, 50_100), register(30, 50_200)], [[30, 18_000]]],
  ["no more than start and stop", [], [[40, 27_000]]],
  ["no more than start and stop, beside a register that shows garbage", [register(10, 1e305), register(20, -1e305)], [[40, 27_000]]],
  [
    "power beside more than there is",
    [power(5, 8_000), power(6, "1e305", { unit: "kW" }), power(7, "1e305"), power(8, 9_000)],
    [
      [5, 8_000],
      [8, 9_000],
    ],
  ],
  [
    "power beside what is none",
    [power(5, 8_000), power(6, "a lot"), power(7, 9, { unit: "A" }), power(8, 9_000)],
    [
      [5, 8_000],
      [8, 9_000],
    ],
  ],
])("the course of power follows from %s", async (_what, transactionData, curve) => {
  const transactionId = await begin("OWN-2");
  await stop(transactionId, { transactionData });
  // Said again it changes nothing, and tells nothing.
  await stop(transactionId, { transactionData });
  const [stopped, ...more] = await told("TransactionStopped", transactionId);
  expect(stopped.powerCurve).toEqual(curve.map(([second, powerW]) => ({ time: at(second), ...(powerW === 0 ? {} : { powerW }) })));
  expect(more).toEqual([]);
});

test("a stop whose meter shows more than there is is kept, and tells no course", async () => {
  const transactionId = await begin("OWN-2");
  await stop(transactionId, { meterStop: 1e308 });
  const stopped = await told("TransactionStopped", transactionId);
  expect(stopped.map(({ transaction, powerCurve = [] }) => [transaction.state, powerCurve])).toEqual([["STOPPED", []]]);
});

test("of many samples at most 60 are told, and the peaks are among them", async () => {
  const transactionId = await begin("OWN-2");
  const watts = Array.from({ length: 300 }, (_, i) => ({ 77: 22_000, 78: 22_000, 200: 1 })[i] ?? 11_000 + (i % 7));
  // A tenth of a second apart.
  const meterValue = watts.map((value, i) => power(i / 10, value));
  await station.result("MeterValues", { connectorId, transactionId, meterValue });
  await stop(transactionId);
  const [{ powerCurve }] = await told("TransactionStopped", transactionId);
  expect(powerCurve.length).toBeGreaterThan(50);
  expect(powerCurve.length).toBeLessThanOrEqual(60);
  const times = powerCurve.map(({ time }: Payload) => time);
  expect(times).toEqual(times.toSorted());
  expect(powerCurve).toContainEqual({ time: at(7.8), powerW: 22_000 });
  expect(powerCurve).toContainEqual({ time: at(20), powerW: 1 });
});

test("of a charge that tells nothing no course is told, and not that of another", async () => {
  const other = await begin("OWN-2");
  await station.result("MeterValues", { connectorId, transactionId: other, meterValue: [power(5, 9_000), power(6, 9_000)] });
  const transactionId = await begin("CARD");
  await stop(transactionId, { meterStop: 999 });
  expect(await told("TransactionStopped", transactionId)).toEqual([expect.objectContaining({ transaction: expect.anything() })]);
  expect((await told("TransactionStopped", transactionId))[0].powerCurve ?? []).toEqual([]);
  await stop(other);
});

test.each<[string | undefined, boolean, boolean]>([
  [undefined, false, false],
  ["Local", false, false],
  ["Remote", false, false],
  ["EVDisconnected", false, false],
  ["UnlockCommand", false, false],
  ["PowerLoss", false, true],
  ["EmergencyStop", false, true],
  ["Reboot", false, true],
  ["HardReset", false, true],
  ["SoftReset", false, true],
  ["DeAuthorized", false, true],
  ["Other", false, false],
  ["Other", true, true],
  ["EVDisconnected", true, false],
])("a stop for reason %s, with the connector faulted %s, was broken off: %s", async (reason, isFaulted, interrupted) => {
  const transactionId = await begin("OWN-2");
  const status = isFaulted ? { status: "Faulted", errorCode: "GroundFailure" } : { status: "Charging", errorCode: "NoError" };
  await station.result("StatusNotification", { connectorId, ...status, timestamp: at(39) });
  await stop(transactionId, reason === undefined ? {} : { reason });
  const [stopped] = await told("TransactionStopped", transactionId);
  expect([stopped.interrupted ?? false, stopped.transaction.stopReason]).toEqual([interrupted, reason ?? "Local"]);
});

test("a fault that came long after a stop did not break it off", async () => {
  const transactionId = await begin("OWN-2", { timestamp: at(-7_200) });
  await station.result("StatusNotification", { connectorId, status: "Faulted", errorCode: "GroundFailure", timestamp: at(0) });
  await stop(transactionId, { reason: "Other", timestamp: at(-3_600) });
  expect((await told("TransactionStopped", transactionId))[0].interrupted ?? false).toBe(false);
});

test("what is unusual is told once, when it is found", async () => {
  const ordinary = await begin("OWN-2");
  await stop(ordinary);
  expect(await told("TransactionFlagged", ordinary)).toEqual([]);
  const start = { idTag: "NOBODY", timestamp: at(-3_600), connectorId: 90 };
  const unusual = await begin("", start);
  expect(await begin("", start)).toBe(unusual);
  await stop(unusual, { meterStop: 999 });
  await stop(unusual, { meterStop: 999 });
  await stop(unusual, { meterStop: 1_500 });
  await stop(unusual, { meterStop: 1_600 });
  const flagged = await told("TransactionFlagged", unusual);
  expect(flagged.map(({ flags, transaction }) => [flags, transaction.state])).toEqual([
    [["ID_TOKEN_UNKNOWN", "OFFLINE_START"], "ACTIVE"],
    [["METER_WENT_BACKWARDS"], "STOPPED"],
    [["STOP_DISPUTED"], "STOPPED"],
  ]);
  expect(flagged.at(-1)?.transaction.flags).toEqual(["ID_TOKEN_UNKNOWN", "OFFLINE_START", "METER_WENT_BACKWARDS", "STOP_DISPUTED"]);
});

test("a stop without a start is told with its flag, once", async () => {
  const orphan = { transactionId: 999_999, meterStop: 10, timestamp: at(1), idTag: "OWN" };
  await station.result("StopTransaction", orphan);
  await station.result("StopTransaction", orphan);
  const own = (await site.told()).filter(({ data }) => data.transaction?.flags?.includes("NO_START"));
  expect(own.map(({ type, data }) => [type, data.flags, data.transaction.userId])).toEqual([
    ["TransactionStopped", undefined, USER],
    ["TransactionFlagged", ["NO_START"], USER],
  ]);
});

test.each([
  ["own card", "OWN", "OWN"],
  ["other card of theirs", "OWN-2", "OWN-2"],
  ["neighbour's card", "NEIGHBOUR", undefined],
])("who may follow a charge is told of a stop by their %s as far as that is theirs", async (_what, idTag, stopIdToken) => {
  const transactionId = await begin("OWN");
  await stop(transactionId, { idTag });
  const [stopped] = await told("TransactionStopped", transactionId);
  expect([stopped.transaction.userId, stopped.transaction.stopIdToken]).toEqual([USER, stopIdToken]);
  // Whoever keeps the books can look it up.
  expect((await site.transaction(transactionId)).stopIdToken).toBe(idTag);
});
