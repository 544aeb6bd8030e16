import { afterAll, beforeAll, expect, test } from "vitest";
import { startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import type { Payload, Station } from "./station.ts";

// A stop cannot be prevented any more, so whatever a charger says of one is kept, once, and flagged if it is unusual.

let site: Site;
let station: Station;
let connectorId = 0;

beforeAll(async () => {
  site = await openSite();
  station = await site.join("S-1");
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
/** Starts a transaction on a connector of its own. */
const begin = async (fields: object = {}): Promise<number> => {
  const start = { connectorId: ++connectorId, idTag: `C-${connectorId}`, meterStart: 1_000, timestamp: ago(30), ...fields };
  return (await station.result("StartTransaction", start)).transactionId;
};
const stopsTold = async (transactionId: number | string): Promise<Payload[]> =>
  (await site.told())
    .filter(({ type, subject }) => type === "TransactionStopped" && subject === String(transactionId))
    .map(({ data }) => data.transaction);
const orphans = async (chargerId: string) => (await site.transactions(chargerId)).filter(({ flags }) => flags.includes("NO_START"));

test("a stop that comes again is the same stop, on a new socket too", async () => {
  const transactionId = await begin();
  const stop = { transactionId, meterStop: 5_000, timestamp: ago(1), reason: "EVDisconnected" };
  expect(await station.result("StopTransaction", stop)).toEqual({});
  expect(await station.result("StopTransaction", stop)).toEqual({});
  station.socket.terminate();
  station = await site.connect("S-1");
  expect(await station.result("StopTransaction", stop)).toEqual({});
  const kept = await site.transaction(transactionId);
  expect(kept).toMatchObject({
    state: "STOPPED",
    energyWh: 4_000,
    meterStopWh: 5_000,
    meterLastWh: 5_000,
    stopTime: new Date(stop.timestamp),
    stopReason: "EVDisconnected",
    stopIdToken: "",
    powerW: undefined,
  });
  expect(await stopsTold(transactionId)).toEqual([expect.objectContaining({ state: "STOPPED", energyWh: 4_000, meterStopWh: 5_000 })]);
});

test("the first stop counts; another that says something else flags it, and is kept as a reading", async () => {
  const transactionId = await begin();
  const stop = { transactionId, meterStop: 5_000, timestamp: ago(1) };
  await station.result("StopTransaction", stop);
  expect(await station.result("StopTransaction", { ...stop, meterStop: 9_000 })).toEqual({});
  expect(await station.result("StopTransaction", { ...stop, timestamp: ago(0) })).toEqual({});
  await station.result("StopTransaction", stop);
  expect(await site.transaction(transactionId)).toMatchObject({
    energyWh: 4_000,
    stopTime: new Date(stop.timestamp),
    flags: ["ID_TOKEN_UNKNOWN", "STOP_DISPUTED"],
  });
  expect(await stopsTold(transactionId)).toHaveLength(1);
  const flagged = (await site.told()).filter(({ type, subject }) => type === "TransactionFlagged" && subject === String(transactionId));
  expect(flagged.map(({ data }) => [data.transaction.flags, data.flags])).toEqual([
    [["ID_TOKEN_UNKNOWN"], ["ID_TOKEN_UNKNOWN"]],
    [["ID_TOKEN_UNKNOWN", "STOP_DISPUTED"], ["STOP_DISPUTED"]],
  ]);
  const readings = await site.rows("select time, sampled_values from meter_value where transaction_id = $1 order by time", [transactionId]);
  const energy = { context: "Transaction.End", measurand: "Energy.Active.Import.Register", unit: "Wh", location: "Outlet" };
  expect(readings.map(({ time, sampled_values: [sample] }) => [time > new Date(stop.timestamp), sample])).toEqual([
    [false, expect.objectContaining({ ...energy, value: "9000" })],
    [true, expect.objectContaining({ ...energy, value: "5000" })],
  ]);
});

test.each<[string, object, object, string[], number]>([
  ["a meter that stands lower than at the start", {}, { meterStop: 999 }, ["METER_WENT_BACKWARDS"], 0],
  ["a meter that stands where it stood", {}, { meterStop: 1_000 }, [], 0],
  ["a time before the start", { timestamp: ago(10) }, { timestamp: ago(20) }, ["STOP_BEFORE_START"], 4_000],
  ["a clock that was never set", {}, { timestamp: "1970-01-01T00:10:00Z" }, ["STOP_BEFORE_START", "CLOCK_UNSET"], 4_000],
  ["a clock that was set meanwhile", { timestamp: "1970-01-01T00:10:00Z" }, {}, ["CLOCK_UNSET"], 4_000],
  ["a meter beyond all bounds", {}, { meterStop: 1e300 }, [], 1e300],
])("a stop with %s is kept and flagged", async (_what, start, stop, flags, energyWh) => {
  const transactionId = await begin(start);
  await station.result("StopTransaction", { transactionId, meterStop: 5_000, timestamp: ago(1), ...stop });
  const kept = await site.transaction(transactionId);
  expect(kept).toMatchObject({ state: "STOPPED", energyWh });
  expect(kept.flags.filter((flag) => flag !== "ID_TOKEN_UNKNOWN")).toEqual(flags);
});

test("the stop's meter counts, whatever the readings said", async () => {
  for (const reading of ["1400.7", "9000", "0"]) {
    const transactionId = await begin();
    const meterValue = [{ timestamp: ago(5), sampledValue: [{ value: reading }] }];
    await station.result("MeterValues", { connectorId, transactionId, meterValue });
    await station.result("StopTransaction", { transactionId, meterStop: 1_400, timestamp: ago(1) });
    expect(await site.transaction(transactionId)).toMatchObject({ flags: ["ID_TOKEN_UNKNOWN"], energyWh: 400, meterLastWh: 1_400 });
  }
});

test.each([-1, 0, 2 ** 31 - 1, 2 ** 31 + 5, -(2 ** 31) - 1, 2 ** 53, 1e300, -1e300])(
  "a stop of a transaction %d that never started is kept once",
  async (transactionId) => {
    const id = `S-${transactionId}`.replace(/[^\w-]/g, "_");
    let alone = await site.join(id);
    const stop = { transactionId, meterStop: 7_000, timestamp: ago(5), idTag: "WHOEVER", reason: "PowerLoss" };
    expect(await alone.result("StopTransaction", stop)).toEqual({ idTagInfo: { status: "Invalid" } });
    expect(await alone.result("StopTransaction", stop)).toEqual({ idTagInfo: { status: "Invalid" } });
    alone.socket.terminate();
    alone = await site.connect(id);
    expect(await alone.result("StopTransaction", stop)).toEqual({ idTagInfo: { status: "Invalid" } });
    const [orphan, ...others] = await site.transactions(id);
    expect(others).toEqual([]);
    expect(orphan).toMatchObject({
      state: "STOPPED",
      flags: ["NO_START"],
      idToken: "WHOEVER",
      stopReason: "PowerLoss",
      meterStopWh: 7_000,
      startTime: undefined,
      stopTime: new Date(stop.timestamp),
      energyWh: 0,
    });
    expect(await stopsTold(orphan?.id ?? "")).toHaveLength(1);
    // One that differs is another.
    await alone.result("StopTransaction", { ...stop, meterStop: 7_001 });
    await alone.result("StopTransaction", { ...stop, timestamp: ago(4) });
    expect(await orphans(id)).toHaveLength(3);
    await alone.leave();
  },
);

test("a stop of another charger's transaction stops nothing there", async () => {
  const transactionId = await begin();
  const other = await site.join("S-2");
  expect(await other.result("StopTransaction", { transactionId, meterStop: 9_999, timestamp: ago(1) })).toEqual({});
  expect(await site.transaction(transactionId)).toMatchObject({ state: "ACTIVE", chargerId: "S-1", meterStopWh: undefined });
  expect(await orphans("S-2")).toMatchObject([{ meterStopWh: 9_999, flags: ["NO_START"], connectorId: 0 }]);
  await other.leave();
});

test("a stop is not taken for one of a stop without a start that happens to have its number", async () => {
  const alone = await site.join("S-3");
  await alone.result("StopTransaction", { transactionId: -1, meterStop: 1, timestamp: ago(9) });
  const [first] = await orphans("S-3");
  const number = Number(first?.id);
  const stop = { transactionId: number, meterStop: 2, timestamp: ago(8) };
  await alone.result("StopTransaction", stop);
  await alone.result("StopTransaction", stop);
  expect(await orphans("S-3")).toMatchObject([
    { meterStopWh: 2, flags: ["NO_START"] },
    { id: String(number), meterStopWh: 1, flags: ["NO_START"] },
  ]);
  await alone.leave();
});

test("a stop without a start is told apart by boots where the clock was never set", async () => {
  const alone = await site.join("S-4");
  const stop = { transactionId: -1, meterStop: 1, timestamp: "1970-01-01T00:00:09Z" };
  await alone.result("StopTransaction", stop);
  await alone.result("StopTransaction", stop);
  await alone.boot();
  await alone.result("StopTransaction", stop);
  expect((await orphans("S-4")).map(({ flags }) => flags)).toEqual([
    ["NO_START", "CLOCK_UNSET"],
    ["NO_START", "CLOCK_UNSET"],
  ]);
  await alone.leave();
});

test("a hundred stops at once are one", async () => {
  const transactionId = await begin();
  const stop = { transactionId, meterStop: 2_000, timestamp: ago(1) };
  await Promise.all(Array.from({ length: 100 }, () => station.result("StopTransaction", stop)));
  expect(await site.transaction(transactionId)).toMatchObject({ energyWh: 1_000, flags: ["ID_TOKEN_UNKNOWN"] });
  expect(await stopsTold(transactionId)).toHaveLength(1);
});

test("the same stop at the same time on two replicas is one stop", async () => {
  const other = await startService(site.place);
  const first = await site.join("S-5");
  const start = { connectorId: 1, idTag: "A", meterStart: 1_000, timestamp: ago(30) };
  const { transactionId } = await first.result("StartTransaction", start);
  const stops = [
    { transactionId, meterStop: 2_000, timestamp: ago(1), transactionData: [{ timestamp: ago(1), sampledValue: [{ value: "2000" }] }] },
    { transactionId: -9, meterStop: 2_000, timestamp: ago(1) },
  ];
  // Nothing can be read for writing until both are at it.
  const owner = await site.hold("lock table transaction in exclusive mode");
  for (const [i, stop] of stops.entries()) first.say([2, String(i), "StopTransaction", stop]);
  await site.blocked(1);
  const second = await site.connect("S-5", {}, other);
  const answering = Promise.all(stops.map((stop) => second.result("StopTransaction", stop)));
  await site.blocked(2);
  await owner.release();
  expect(await answering).toEqual([{}, {}]);
  const [orphan, stopped, ...others] = await site.transactions("S-5");
  expect([stopped?.energyWh, stopped?.flags, orphan?.flags, others]).toEqual([1_000, ["ID_TOKEN_UNKNOWN"], ["NO_START"], []]);
  expect(await stopsTold(transactionId)).toHaveLength(1);
  expect(await stopsTold(orphan?.id ?? "")).toHaveLength(1);
  await second.leave();
  await other.stop();
});

test("a profile that a charger takes in the moment in which its transaction stops ends with it", async () => {
  const transactionId = await begin();
  const stop = await site.hold(`update transaction set state = 'STOPPED', stop_time = now() where id = ${transactionId}`);
  const chargingSchedule = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }] };
  const profile = { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" };
  const payload = { connectorId, csChargingProfiles: { ...profile, transactionId, chargingSchedule } };
  const send = () => site.command({ chargerId: "S-1", action: "SetChargingProfile", payload, waitSeconds: 30 });
  const sent = send();
  await site.blocked(1);
  await stop.release();
  expect((await sent).state).toBe("ACCEPTED");
  // And one that comes later than that.
  await send();
  expect(await site.rows("select state from charging_profile_assignment where transaction_id = $1", [transactionId])).toEqual([
    { state: "ENDED" },
    { state: "ENDED" },
  ]);
});
