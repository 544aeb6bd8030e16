import { createHash } from "node:crypto";
import { jsonText, transact } from "@chargemesh/kit/postgres";
import { insertMeterValues } from "../db/meter-value.ts";
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
    const last = latest(readings);
    if (transaction === undefined || added === 0 || last === undefined) return;
    const updated = await recordReading(tx, transaction.id, { time: last.time, energyWh: energyWh(last), powerW: powerW(last) });
    if (updated !== undefined) await transactionUpdated(tx, updated);
  });
}

/** Keeps readings of a transaction (0 for none), and answers how many are new. */
export function keepReadings(tx: Db, place: MeterPlace, transactionId: number, readings: readonly Reading[]): Promise<number> {
  const rows = readings.map(({ time, sampledValues }) => {
    const text = jsonText(sampledValues);
    return {
      charger_id: place.chargerId,
      evse_id: place.evseId,
      connector_id: place.connectorId,
      transaction_id: transactionId,
      time,
      payload_hash: createHash("sha256").update(text).digest("hex").slice(0, 32),
      sampled_values: text,
    };
  });
  return insertMeterValues(tx, rows);
}

function latest(readings: readonly Reading[]): Reading | undefined {
  return readings.reduce<Reading | undefined>((best, one) => (best === undefined || one.time >= best.time ? one : best), undefined);
}

/** The imported energy register of a reading, in Wh. Undefined if it has none. */
function energyWh(reading: Reading): number | undefined {
  return total(reading, "Energy.Active.Import.Register", { Wh: 1, kWh: 1000 });
}

/** The imported power of a reading, in W. Undefined if it has none. */
function powerW(reading: Reading): number | undefined {
  return total(reading, "Power.Active.Import", { W: 1, kW: 1000 });
}

/** A measurand at the outlet: the value over all phases, else the sum of those of single phases to neutral. */
function total({ sampledValues }: Reading, measurand: string, units: Record<string, number>): number | undefined {
  const values = sampledValues.flatMap((one) => {
    const factor = units[one.unit];
    const value = one.format === "Raw" && one.value.trim() !== "" ? Number(one.value) : Number.NaN;
    const fits = one.measurand === measurand && one.location === "Outlet" && factor !== undefined && Number.isFinite(value);
    return fits ? [{ phase: one.phase, value: value * factor }] : [];
  });
  const overall = values.find(({ phase }) => phase === "");
  if (overall !== undefined) return overall.value;
  const phases = values.filter(({ phase }) => /^L[123](-N)?$/.test(phase));
  return phases.length === 0 ? undefined : phases.reduce((sum, { value }) => sum + value, 0);
}
