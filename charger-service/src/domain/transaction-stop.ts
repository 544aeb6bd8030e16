import { transact } from "@chargemesh/kit/postgres";
import { chargerById } from "../db/charger.ts";
import { isFaulted } from "../db/connector.ts";
import type { Db, TransactionFlag, TransactionRow } from "../db/schema.ts";
import { finishTransaction, flagTransaction, insertTransaction, isKnownOrphan, lockTransaction } from "../db/transaction.ts";
import { transactionFlagged } from "../events.ts";
import { type Authorization, authorize } from "./authorization.ts";
import { keepReadings, type Reading, registerReading } from "./metering.ts";
import { endTransaction } from "./transaction-end.ts";
import { isClockUnset } from "./transaction-start.ts";

/** What a charger says when a transaction stops. Times by its own clock, energy in Wh. */
export interface StopReport {
  chargerId: string;
  /** The number that the charger gives; it need not be one of ours. */
  transactionId: number;
  stopTime: Date;
  meterStopWh: number;
  reason: string;
  /** Whether that is something that nobody there wanted; undefined if the reason does not tell. */
  interrupted: boolean | undefined;
  /** Who stopped it; empty if the charger does not say. */
  idToken: string;
  readings: readonly Reading[];
}

/**
 * Ingests a stop exactly once. The first stop of a transaction counts; one that says something else is flagged.
 * A stop without a start is kept as a transaction of its own. Answers what to say about the id token, if one was given.
 */
export function stopTransaction(db: Db, report: StopReport, now: Date): Promise<Authorization | undefined> {
  return transact(db, async (tx) => {
    const transaction = await lockTransaction(tx, report.chargerId, report.transactionId);
    if (transaction === undefined) await keepOrphan(tx, report);
    else await stop(tx, transaction, report);
    return report.idToken === "" ? undefined : authorize(tx, report.idToken, "authorize", now);
  });
}

async function stop(tx: Db, transaction: TransactionRow, report: StopReport): Promise<void> {
  const { evse_id: evseId, connector_id: connectorId } = transaction;
  await keepReadings(tx, { chargerId: report.chargerId, evseId, connectorId }, transaction.id, report.readings);
  // One that we only concluded had stopped is still open to what the charger says.
  if (transaction.state === "ACTIVE" || transaction.meter_stop_wh === null) {
    const facts = {
      stop_time: report.stopTime,
      meter_stop_wh: report.meterStopWh,
      stop_reason: report.reason,
      stop_id_token: report.idToken,
      flags: flagsAfter(transaction, report),
    };
    const stopped = await finishTransaction(tx, transaction.id, facts);
    const newFlags = facts.flags.filter((flag) => !transaction.flags.includes(flag));
    return endTransaction(tx, stopped, { interrupted: await isInterrupted(tx, stopped, report), newFlags });
  }
  const isSame = transaction.stop_time?.getTime() === report.stopTime.getTime() && transaction.meter_stop_wh === report.meterStopWh;
  if (isSame) return;
  // Whoever looks into it finds what else was said.
  const said = registerReading(report.stopTime, report.meterStopWh, "Transaction.End");
  await keepReadings(tx, { chargerId: report.chargerId, evseId, connectorId }, transaction.id, [said]);
  if (transaction.flags.includes("STOP_DISPUTED")) return;
  await transactionFlagged(tx, await flagTransaction(tx, transaction.id, "STOP_DISPUTED"), ["STOP_DISPUTED"]);
}

/** How far apart the times may be of a fault and of the stop that comes of it, in ms: only one of them may be by the charger's clock. */
const FAULT_MS = 60_000;

/** A reason that does not tell leaves it to the connector: one that was faulty by then has broken the charge off. */
async function isInterrupted(tx: Db, stopped: TransactionRow, { interrupted, stopTime }: StopReport): Promise<boolean> {
  return interrupted ?? isFaulted(tx, stopped, new Date(stopTime.getTime() + FAULT_MS));
}

function flagsAfter(transaction: TransactionRow, report: StopReport): TransactionFlag[] {
  const flags: TransactionFlag[] = transaction.flags.filter((flag) => flag !== "STOP_MISSING");
  // Of start and stop only: some chargers count these from the start of the transaction, and their readings from the meter's first day.
  if (transaction.meter_start_wh !== null && report.meterStopWh < transaction.meter_start_wh) flags.push("METER_WENT_BACKWARDS");
  if (transaction.start_time !== null && report.stopTime < transaction.start_time) flags.push("STOP_BEFORE_START");
  if (isClockUnset(report.stopTime) && !flags.includes("CLOCK_UNSET")) flags.push("CLOCK_UNSET");
  return flags;
}

/** Chargers make numbers up that no column holds; those share the largest, and what else the stops say tells them apart. */
function toStorable(transactionId: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(transactionId, Number.MAX_SAFE_INTEGER));
}

async function keepOrphan(tx: Db, report: StopReport): Promise<void> {
  const unset = isClockUnset(report.stopTime);
  const content = {
    charger_id: report.chargerId,
    reported_id: toStorable(report.transactionId),
    stop_time: report.stopTime,
    meter_stop_wh: report.meterStopWh,
    boot_count: unset ? ((await chargerById(tx, report.chargerId))?.boot_count ?? 0) : 0,
  };
  if (await isKnownOrphan(tx, content)) return;
  const facts = report.idToken === "" ? undefined : await authorize(tx, report.idToken, "authorize", report.stopTime);
  const orphan = await insertTransaction(tx, {
    ...content,
    evse_id: 0,
    connector_id: 0,
    id_token: report.idToken,
    id_token_status: facts?.status ?? "",
    user_id: facts?.userId ?? null,
    state: "STOPPED",
    stop_reason: report.reason,
    stop_id_token: report.idToken,
    flags: unset ? ["NO_START", "CLOCK_UNSET"] : ["NO_START"],
  });
  if (orphan === undefined) return;
  await keepReadings(tx, { chargerId: report.chargerId, evseId: 0, connectorId: 0 }, orphan.id, report.readings);
  await endTransaction(tx, orphan, { interrupted: report.interrupted ?? false, newFlags: orphan.flags });
}
