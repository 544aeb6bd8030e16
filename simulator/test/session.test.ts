import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectCharger, type SimulatedCharger } from "../src/charger.ts";
import { chargerModels, vehicleModels } from "../src/models.ts";
import type { ChargerOptions } from "../src/state.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { actionsOf, type ScriptedCsms, startCsms } from "./scripted-csms.ts";

let csms: ScriptedCsms;
let time: ManualTime;
let charger: SimulatedCharger;

beforeEach(async () => {
  csms = await startCsms();
  time = manualTime();
});
afterEach(async () => {
  await charger.close();
  await csms.close();
});

async function boot(options: Partial<ChargerOptions> = {}): Promise<void> {
  charger = await connectCharger({ url: csms.url, id: "CP-1", time, model: chargerModels.fast, ...options });
  await charger.boot();
  await charger.idle();
  csms.forget();
}

interface Sample {
  readonly timestamp: string;
  readonly sampledValue: readonly { value: string; context: string; measurand: string; unit: string; phase?: string }[];
}

/** Every sample of every MeterValues and StopTransaction, in order, with its values by measurand. */
function samples(): { time: number; context: string | undefined; values: Partial<Record<string, number>> }[] {
  return csms.calls
    .flatMap(({ payload }) => (payload.meterValue ?? payload.transactionData ?? []) as Sample[])
    .map(({ timestamp, sampledValue }) => ({
      time: Date.parse(timestamp),
      context: sampledValue[0]?.context,
      values: Object.fromEntries(
        sampledValue.map(({ measurand, phase, value }) => [phase === undefined ? measurand : `${measurand} ${phase}`, Number(value)]),
      ),
    }));
}

const [, , saloon] = vehicleModels;
const vehicle = () => ({ model: saloon ?? fail(), charge: 0.2, limit: 1 });
const fail = (): never => {
  throw new Error("no such model");
};

test("a session, from plug to plug", async () => {
  await boot();
  expect(await charger.plugIn(1, { idTag: "A", vehicle: vehicle() })).toMatchObject({ id: 101, idTagStatus: "Accepted" });
  await time.advance(150_000, () => charger.idle());
  charger.stop(1, "Local", "A");
  await charger.idle();
  charger.unplug(1);
  await charger.idle();
  expect(csms.calls.map(({ action, payload }) => (action === "StatusNotification" ? payload.status : action))).toEqual([
    "Preparing",
    "Authorize",
    "StartTransaction",
    "Charging",
    "MeterValues",
    "MeterValues",
    "MeterValues",
    "StopTransaction",
    "Finishing",
    "Available",
  ]);
  expect(csms.calls.find(({ action }) => action === "StartTransaction")?.payload).toEqual({
    connectorId: 1,
    idTag: "A",
    meterStart: expect.any(Number),
    timestamp: "2026-03-01T08:00:00.000Z",
  });
  expect(csms.calls.find(({ action }) => action === "StopTransaction")?.payload).toMatchObject({
    transactionId: 101,
    idTag: "A",
    reason: "Local",
    timestamp: "2026-03-01T08:02:30.000Z",
  });
  csms.forget();
  await time.advance(120_000, () => charger.idle());
  expect(csms.calls).toEqual([]);
});

describe("meter values", () => {
  test("the register is whole Wh, never falls, and is the integral of the power", async () => {
    await boot({ configuration: { MeterValueSampleInterval: "10" } });
    await charger.plugIn(1, { idTag: "A", vehicle: vehicle() });
    await time.advance(3_600_000, () => charger.idle());
    charger.unplug(1);
    await charger.idle();
    const all = samples();
    expect(all.length).toBe(362);
    expect([all[0]?.context, all[1]?.context, all.at(-1)?.context]).toEqual(["Transaction.Begin", "Sample.Periodic", "Transaction.End"]);
    const register = all.map(({ values }) => values["Energy.Active.Import.Register"] ?? Number.NaN);
    const start = csms.calls.find(({ action }) => action === "StartTransaction")?.payload.meterStart;
    const stop = csms.calls.find(({ action }) => action === "StopTransaction")?.payload.meterStop;
    expect([register[0], register.at(-1)]).toEqual([start, stop]);
    const power = all.map(({ values }) => values["Power.Active.Import"] ?? Number.NaN);
    let sum = 0;
    for (let i = 1; i < all.length; i++) {
      expect(Number.isInteger(register[i])).toBe(true);
      expect(register[i]).toBeGreaterThanOrEqual(register[i - 1] ?? 0);
      if (i < all.length - 1) sum += ((power[i] ?? 0) + (power[i - 1] ?? 0)) / 2 / 360;
    }
    const energy = (register.at(-1) ?? 0) - (register[0] ?? 0);
    expect(energy).toBeGreaterThan(40_000);
    expect(Math.abs(energy - sum) / energy).toBeLessThan(0.005);
    const soc = all.map(({ values }) => values.SoC ?? Number.NaN);
    expect(soc[0]).toBe(20);
    expect(soc.at(-1)).toBeGreaterThan(75);
    const middle = all[100]?.values;
    expect((middle?.Voltage ?? 0) * (middle?.["Current.Import"] ?? 0)).toBeCloseTo(middle?.["Power.Active.Import"] ?? 0, -2);
  });

  test("AC is measured phase by phase and knows no SoC", async () => {
    await boot({ model: chargerModels.wallbox });
    await charger.plugIn(1, { idTag: "A", vehicle: vehicle() });
    await time.advance(60_000, () => charger.idle());
    expect(samples()[1]).toEqual({
      time: Date.parse("2026-03-01T08:01:00Z"),
      context: "Sample.Periodic",
      values: {
        "Energy.Active.Import.Register": expect.any(Number),
        "Power.Active.Import": 11_000,
        "Voltage L1-N": 230,
        "Voltage L2-N": 230,
        "Voltage L3-N": 230,
        "Current.Import L1": 15.9,
        "Current.Import L2": 15.9,
        "Current.Import L3": 15.9,
      },
    });
  });

  test("MeterValueSampleInterval and MeterValuesSampledData are obeyed at once", async () => {
    await boot();
    await charger.plugIn(1, { idTag: "A", vehicle: vehicle() });
    await charger.idle();
    await csms.ask("ChangeConfiguration", { key: "MeterValuesSampledData", value: "SoC" });
    await csms.ask("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "5" });
    await time.advance(10_000, () => charger.idle());
    expect(samples().slice(1)).toEqual([
      { time: Date.parse("2026-03-01T08:00:05Z"), context: "Sample.Periodic", values: { SoC: 20 } },
      { time: Date.parse("2026-03-01T08:00:10Z"), context: "Sample.Periodic", values: { SoC: 20 } },
    ]);
    await csms.ask("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "0" });
    await time.advance(600_000, () => charger.idle());
    expect(samples().length).toBe(3);
  });

  test("speed makes vehicles charge faster, and nothing else", async () => {
    await boot({ speed: 60 });
    await charger.plugIn(1, { idTag: "A", vehicle: vehicle() });
    await time.advance(60_000, () => charger.idle());
    const [begin, first] = samples();
    expect((first?.time ?? 0) - (begin?.time ?? 0)).toBe(60_000);
    // An hour of a 50 kW charger.
    expect((first?.values["Energy.Active.Import.Register"] ?? 0) - (begin?.values["Energy.Active.Import.Register"] ?? 0)).toBeGreaterThan(
      40_000,
    );
    expect(first?.values["Power.Active.Import"]).toBeLessThanOrEqual(50_000);
  });
});

test("a vehicle that is full suspends", async () => {
  await boot();
  await charger.plugIn(1, { idTag: "A", vehicle: { ...vehicle(), charge: 0.79, limit: 0.8 } });
  const suspended = charger.next("status", (event) => event.status === "SuspendedEV");
  await time.advance(120_000, () => charger.idle());
  await suspended;
  expect(csms.calls.at(-1)?.payload).toMatchObject({ connectorId: 1, status: "SuspendedEV" });
  expect(charger.state.connectors[0]?.transaction).toBeDefined();
});

test.each(["Invalid", "Blocked", "Expired", "ConcurrentTx"])("an id token that is %s starts nothing", async (status) => {
  await boot();
  csms.script.Authorize = () => ({ idTagInfo: { status } });
  expect(await charger.plugIn(1, { idTag: "A" })).toBeUndefined();
  await charger.idle();
  expect(actionsOf(csms.calls)).toEqual(["StatusNotification", "Authorize"]);
});

describe("a start that is answered with a refused id token", () => {
  beforeEach(() => {
    csms.script.StartTransaction = () => ({ idTagInfo: { status: "Blocked" }, transactionId: 5 });
  });

  test("is stopped", async () => {
    await boot();
    const transaction = await charger.plugIn(1, { idTag: "A" });
    expect(transaction).toMatchObject({ id: 5, idTagStatus: "Blocked", stop: { reason: "DeAuthorized" } });
    expect((await csms.next("StopTransaction")).payload).toMatchObject({ transactionId: 5, reason: "DeAuthorized" });
  });

  test("goes on without energy where StopTransactionOnInvalidId is false", async () => {
    await boot({ configuration: { StopTransactionOnInvalidId: "false" } });
    const transaction = await charger.plugIn(1, { idTag: "A", vehicle: vehicle() });
    await time.advance(600_000, () => charger.idle());
    expect(charger.state.connectors[0]).toMatchObject({ status: "SuspendedEVSE", transaction });
    charger.unplug(1);
    expect(transaction?.stop?.meterWh).toBe(transaction?.meterStartWh);
  });
});

test("a fault ends what charges there and is over when it recovers", async () => {
  await boot({ model: chargerModels.hub });
  await charger.plugIn(1, { idTag: "A" });
  charger.fault(1, "GroundFailure");
  await charger.idle();
  expect((await csms.next("StopTransaction")).payload).toMatchObject({ transactionId: 101, reason: "Other" });
  expect(charger.state.connectors.map(({ status }) => status)).toEqual(["Faulted", "Available"]);
  expect(await charger.plugIn(1, { idTag: "A" })).toBeUndefined();
  charger.unplug(1);
  charger.recover(1);
  await charger.idle();
  expect(csms.calls.at(-1)?.payload).toMatchObject({ connectorId: 1, status: "Available", errorCode: "NoError" });
});

test("connectors that are not there are refused", async () => {
  await boot();
  expect(() => charger.unplug(2)).toThrow(new RangeError("CP-1 has no connector 2"));
});

test("switched off it leaves no timer behind", async () => {
  await boot();
  await charger.plugIn(1, { idTag: "A" });
  await charger.close();
  expect(time.timers()).toBe(0);
});

test("the same seed makes the same frames", async () => {
  const life = async (seed: string) => {
    time = manualTime();
    const server = await startCsms();
    const one = await connectCharger({ url: server.url, id: "CP-1", time, model: chargerModels.hub, seed });
    await one.boot();
    await one.plugIn(1, { idTag: "A" });
    await one.plugIn(2, { idTag: "B" });
    await time.advance(300_000, () => one.idle());
    one.unplug(2);
    await one.idle();
    await one.close();
    await server.close();
    return server.calls;
  };
  await boot();
  const first = await life("seed");
  expect(await life("seed")).toEqual(first);
  expect(await life("another")).not.toEqual(first);
});
