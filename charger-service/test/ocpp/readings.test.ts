import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// What meters say: each reading once, the register in Wh, and only of the charger's own transactions.

let site: Site;
let station: Station;
let connectorId = 0;
const REGISTER = "Energy.Active.Import.Register";

beforeAll(async () => {
  site = await openSite();
  station = await site.join("M-1");
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

const START = Date.now() - 50_000;
const at = (second: number): string => new Date(START + second * 1000).toISOString();
const begin = async (of = station): Promise<number> =>
  (await of.result("StartTransaction", { connectorId: ++connectorId, idTag: `M-${connectorId}`, meterStart: 1_000, timestamp: at(0) }))
    .transactionId;
/** One reading, at this second. */
const reading = (second: number, ...sampledValue: object[]) => ({ timestamp: at(second), sampledValue });
const report = (transactionId: number | undefined, ...meterValue: object[]) =>
  station.result("MeterValues", { connectorId, ...(transactionId === undefined ? {} : { transactionId }), meterValue });
const kept = (transactionId: number) =>
  site.rows("select time, sampled_values from meter_value where transaction_id = $1 order by time, payload_hash", [transactionId]);

test.each<[string, object[], number, number | undefined]>([
  ["a register in Wh, as it is by default", [{ value: "1234" }], 234, undefined],
  ["a register in kWh", [{ value: "1.001", unit: "kWh" }], 1, undefined],
  ["a register with a fraction", [{ value: "1000.125" }], 0.125, undefined],
  ["a register in scientific notation", [{ value: "1.5e3", unit: "Wh" }], 500, undefined],
  ["a register by phase", [1, 2, 3].map((n) => ({ value: "0.5", unit: "kWh", phase: `L${n}` })), 500, undefined],
  ["a register by phase to neutral", [1, 2].map((n) => ({ value: "700", phase: `L${n}-N` })), 400, undefined],
  ["both a register and its phases", [{ value: "500", phase: "L1" }, { value: "1300" }], 300, undefined],
  ["phases both ways", ["L1", "L2", "L1-N", "L2-N"].map((phase) => ({ value: "600", phase })), 200, undefined],
  ["power in kW", [{ value: "1100" }, { value: "7.4", unit: "kW", measurand: "Power.Active.Import" }], 100, 7_400],
  ["power by phase", ["L1", "L2", "L3"].map((phase) => ({ value: "3.7", unit: "kW", measurand: "Power.Active.Import", phase })), 0, 11_100],
  ["power without its unit", [{ value: "7.4", measurand: "Power.Active.Import" }], 0, undefined],
  ["no register", [{ value: "230", measurand: "Voltage", unit: "V" }], 0, undefined],
  ["another measurand's energy", [{ value: "9999", measurand: "Energy.Active.Export.Register" }], 0, undefined],
  ["a register inside the car", [{ value: "9999", location: "EV" }], 0, undefined],
  ["signed data", [{ value: "9999", format: "SignedData" }], 0, undefined],
  ["a word", [{ value: "a lot" }], 0, undefined],
  ["nothing", [{ value: "" }], 0, undefined],
  ["a number that is no decimal", [{ value: "0xffff" }], 0, undefined],
  ["infinity", [{ value: "Infinity" }], 0, undefined],
  ["a number beyond all numbers", [{ value: "1e400" }], 0, undefined],
  ["a number that is too large in Wh", [{ value: "1e308", unit: "kWh" }], 0, undefined],
])("of %s the transaction has the energy in Wh and the power in W", async (_what, sampledValue, energyWh, powerW) => {
  const transactionId = await begin();
  expect(await report(transactionId, reading(1, ...sampledValue))).toEqual({});
  expect(await site.transaction(transactionId)).toMatchObject({ state: "ACTIVE", energyWh, powerW, meterLastWh: 1_000 + energyWh });
  // Whatever it was, it is kept as it came.
  const [{ sampled_values }] = await kept(transactionId);
  expect(sampled_values.map(({ value }: { value: string }) => value)).toEqual(sampledValue.map((one) => (one as { value: string }).value));
});

test("readings that come again are kept once, with what OCPP takes for granted", async () => {
  const transactionId = await begin();
  const one = reading(1, { value: "1100" });
  const two = reading(2, { value: "1200", context: "Sample.Clock", measurand: REGISTER });
  await report(transactionId, one, two, one);
  await report(transactionId, one);
  await report(transactionId, two, one);
  station.socket.terminate();
  station = await site.connect("M-1");
  await report(transactionId, one, two);
  expect(await kept(transactionId)).toEqual([
    {
      time: new Date(one.timestamp),
      sampled_values: [
        { value: "1100", context: "Sample.Periodic", format: "Raw", measurand: REGISTER, phase: "", location: "Outlet", unit: "Wh" },
      ],
    },
    {
      time: new Date(two.timestamp),
      sampled_values: [
        { value: "1200", context: "Sample.Clock", format: "Raw", measurand: REGISTER, phase: "", location: "Outlet", unit: "Wh" },
      ],
    },
  ]);
  // Told once: what came again says nothing new.
  const told = (await site.told()).filter(({ type, subject }) => type === "TransactionUpdated" && subject === String(transactionId));
  expect(told.map(({ data }) => data.transaction.energyWh)).toEqual([200]);
  // Of one moment, but another content: another reading.
  await report(transactionId, reading(2, { value: "1201" }));
  expect(await kept(transactionId)).toHaveLength(3);
});

test("the newest reading counts, in whatever order they come", async () => {
  const transactionId = await begin();
  await report(transactionId, reading(30, { value: "1300" }), reading(10, { value: "1100" }));
  await report(transactionId, reading(20, { value: "1200" }));
  expect(await site.transaction(transactionId)).toMatchObject({ energyWh: 300 });
  // The newest that has a register, where the newest has none.
  await report(transactionId, reading(40, { value: "1400" }), reading(41, { value: "5", unit: "kW", measurand: "Power.Active.Import" }));
  expect(await site.transaction(transactionId)).toMatchObject({ energyWh: 400, powerW: 5_000 });
  expect(await kept(transactionId)).toHaveLength(5);
});

test("readings of no transaction, and of another charger's, are kept and count for none", async () => {
  const transactionId = await begin();
  const other = await site.join("M-2");
  const meterValue = [reading(3, { value: "9000" })];
  for (const id of [transactionId, -1, 0, 2 ** 31, 1e300]) {
    expect(await other.result("MeterValues", { connectorId: 1, transactionId: id, meterValue })).toEqual({});
  }
  expect(await other.result("MeterValues", { connectorId: 0, meterValue })).toEqual({});
  expect(await site.transaction(transactionId)).toMatchObject({ energyWh: 0 });
  expect(await kept(transactionId)).toEqual([]);
  const rows = await site.rows("select transaction_id, connector_id from meter_value where charger_id = 'M-2' order by connector_id");
  expect(rows).toEqual([0, 1].map((connector_id) => ({ transaction_id: 0, connector_id })));
  await other.leave();
});

test("what comes after the stop is kept and changes no energy", async () => {
  const transactionId = await begin();
  const early = reading(1, { value: "1100" });
  await report(transactionId, early);
  const transactionData = [early, reading(2, { value: "1900", context: "Transaction.End" })];
  await station.result("StopTransaction", { transactionId, meterStop: 2_000, timestamp: at(3), transactionData });
  await station.result("StopTransaction", { transactionId, meterStop: 2_000, timestamp: at(3), transactionData });
  await report(transactionId, reading(9, { value: "9999" }));
  expect(await site.transaction(transactionId)).toMatchObject({ energyWh: 1_000, stopTime: new Date(at(3)), meterLastWh: 2_000 });
  expect((await kept(transactionId)).map(({ sampled_values }) => sampled_values[0].value)).toEqual(["1100", "1900", "9999"]);
});

test("what comes late of a transaction whose stop is missing still counts", async () => {
  const transactionId = await begin();
  await report(transactionId, reading(1, { value: "1100" }));
  await station.result("StartTransaction", { connectorId, idTag: "NEXT", meterStart: 1_500, timestamp: at(20) });
  await report(transactionId, reading(10, { value: "1400" }, { value: "5000", unit: "W", measurand: "Power.Active.Import" }));
  const late = {
    state: "STOPPED",
    flags: ["ID_TOKEN_UNKNOWN", "STOP_MISSING"],
    energyWh: 400,
    stopTime: new Date(at(10)),
    powerW: undefined,
  };
  expect(await site.transaction(transactionId)).toMatchObject(late);
});

test("readings of a stop without a start are kept with it", async () => {
  const transactionData = [reading(1, { value: "1" }), reading(2, { value: "2" })];
  const alone = await site.join("M-3");
  for (let i = 0; i < 2; i++) await alone.result("StopTransaction", { transactionId: -5, meterStop: 2, timestamp: at(3), transactionData });
  const [orphan] = await site.transactions("M-3");
  expect(await kept(Number(orphan?.id))).toHaveLength(2);
  await alone.leave();
});

test("readings have a place, whatever their time", async () => {
  const transactionId = await begin();
  const times = ["1970-01-01T00:00:00Z", "2001-02-03T04:05:06.789+14:00", "2026-11-22T00:00:00Z", "9999-12-31T23:59:59.999Z"];
  await report(transactionId, ...times.map((timestamp) => ({ timestamp, sampledValue: [{ value: "1" }] })));
  expect((await kept(transactionId)).map(({ time }) => time.toISOString())).toEqual([
    "1970-01-01T00:00:00.000Z",
    "2001-02-02T14:05:06.789Z",
    "2026-11-22T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
  ]);
});

test("a text that is no Unicode is kept as far as it is", async () => {
  const transactionId = await begin();
  await report(transactionId, reading(1, { value: "half \ud83d" }));
  expect((await kept(transactionId))[0].sampled_values[0].value).toBe("half \ufffd");
  expect(await station.call("MeterValues", { connectorId, meterValue: [reading(1, { value: "a\u0000b" })] }, "nul")).toEqual([
    4,
    "nul",
    "PropertyConstraintViolation",
    expect.stringContaining("U+0000"),
    {},
  ]);
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
});
