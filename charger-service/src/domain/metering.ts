import { createHash } from "node:crypto";
import { jsonText, transact } from "@chargemesh/kit/postgres";
import { insertMeterValues, PLAUSIBLE_MAX } from "../db/meter-value.ts";
import type { Db, SampledValue } from "../db/schema.ts";
import { lockTransaction, recordReading } from "../db/transaction.ts";
import { transactionUpdated } from "../events.ts";

/** What the meter of a charger showed at one time. */
export interface Reading {
  time: Date;
  sampledValues: SampledValue[];
}

/** Where readings were taken. */
export interface MeterPlace {
  chargerId: string;
  evseId: number;
  connectorId: number;
}

/** Keeps readings, each once; those of an active transaction bring it up to date. `transactionId` is what the charger said, if it did. */
export function recordReadings(db: Db, place: MeterPlace, transactionId: number | undefined, readings: readonly Reading[]): Promise<void> {
  return transact(db, async (tx) => {
    const transaction = transactionId === undefined ? undefined : await lockTransaction(tx, place.chargerId, transactionId);
    const added = await keepReadings(tx, place, transaction?.id ?? 0, readings);
    const inOrder = readings.toSorted((a, b) => a.time.getTime() - b.time.getTime());
    const last = inOrder.at(-1);
    if (transaction === undefined || added === 0 || last === undefined) return;
    const newest = (of: (reading: Reading) => number | undefined) => inOrder.map(of).findLast((value) => value !== undefined);
    const updated = await recordReading(tx, transaction.id, { time: last.time, energyWh: newest(energyWh), powerW: newest(powerW) });
    if (updated !== undefined) await transactionUpdated(tx, updated);
  });
}

/** Keeps readings of a transaction (0 for none), and answers how many are new. */
export function keepReadings(tx: Db, place: MeterPlace, transactionId: number, readings: readonly Reading[]): Promise<number> {
  const rows = readings.map((reading) => {
    const { time, sampledValues } = reading;
    const text = jsonText(sampledValues);
    return {
      charger_id: place.chargerId,
      evse_id: place.evseId,
      connector_id: place.connectorId,
      transaction_id: transactionId,
      time,
      payload_hash: createHash("sha256").update(text).digest("hex").slice(0, 32),
      sampled_values: text,
      power_w: powerW(reading) ?? null,
      energy_wh: energyWh(reading) ?? null,
    };
  });
  return insertMeterValues(tx, rows);
}

/** What the imported energy register of the outlet showed, as a reading. */
export function registerReading(time: Date, energyWh: number, context: string): Reading {
  const value = String(energyWh);
  return {
    time,
    sampledValues: [
      { value, context, format: "Raw", measurand: "Energy.Active.Import.Register", phase: "", location: "Outlet", unit: "Wh" },
    ],
  };
}

/** The imported energy register of a reading, in Wh. Undefined if it has none. */
function energyWh(reading: Reading): number | undefined {
  return total(reading, "Energy.Active.Import.Register", { Wh: 1, kWh: 1000 });
}

/** The imported power of a reading, in W. Undefined if it has none. */
function powerW(reading: Reading): number | undefined {
  return total(reading, "Power.Active.Import", { W: 1, kW: 1000 });
}

/** What OCPP calls a decimal number. */
const DECIMAL = /^\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*$/;

/** A measurand at the outlet: the value over all phases, else the sum of those of single phases, else of those to neutral. To the thousandth. */
function total({ sampledValues }: Reading, measurand: string, units: Record<string, number>): number | undefined {
  const values = sampledValues.flatMap((one) => {
    const fits = one.measurand === measurand && one.location === "Outlet" && one.format === "Raw" && DECIMAL.test(one.value);
    const value = fits ? Number(one.value) * (units[one.unit] ?? Number.NaN) : Number.NaN;
    return Math.abs(value) <= PLAUSIBLE_MAX ? [{ phase: one.phase, value }] : [];
  });
  const ofPhases = (phases: RegExp) => values.filter(({ phase }) => phases.test(phase));
  const parts = [ofPhases(/^$/).slice(0, 1), ofPhases(/^L[123]$/), ofPhases(/^L[123]-N$/)].find(({ length }) => length > 0);
  // 1.001 kWh are 1001 Wh, whatever a binary fraction makes of it.
  return parts && Math.round(parts.reduce((sum, { value }) => sum + value, 0) * 1000) / 1000;
}
