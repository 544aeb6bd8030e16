import { transact } from "@chargemesh/kit/postgres";
import { chargerById } from "../db/charger.ts";
import { linkRemoteStart } from "../db/command.ts";
import type { Db, TransactionFlag, TransactionRow } from "../db/schema.ts";
import {
  adoptUnheardStart,
  insertTransaction,
  lockStarts,
  newestByStart,
  type StartContent,
  stopMissing,
  transactionByStart,
} from "../db/transaction.ts";
import { commandUpdated, transactionFlagged, transactionStarted } from "../events.ts";
import { beginWithStart } from "./assignment-outcome.ts";
import { type Authorization, type AuthorizationStatus, authorize } from "./authorization.ts";
import { findUse, useReservation } from "./reservation-use.ts";
import { endTransaction } from "./transaction-end.ts";

/** What a charger says when a transaction starts. Times by its own clock, energy in Wh. */
export interface StartReport {
  chargerId: string;
  /** Which of the charger's connections it came on. */
  epoch: number;
  evseId: number;
  connectorId: number;
  idToken: string;
  startTime: Date;
  meterStartWh: number;
  /** The number of the reservation that it ends, if the charger says so. */
  reservationNumber: number | undefined;
}

/** A clock that says less was never set (decision 5). */
const CLOCK_SET_AFTER = Date.UTC(2015, 0, 1);
/** A start that is reported later than this, in ms, was made while the charger was offline. */
const OFFLINE_AFTER_MS = 60_000;

/** Whether a charger's clock was plainly unset when it said this. */
export function isClockUnset(time: Date): boolean {
  return time.getTime() < CLOCK_SET_AFTER;
}

/**
 * Ingests a start exactly once, by content (decision 5): a repeat gets the same transaction and is told the same.
 * Every start is kept, whatever the id token; flags say what is unusual.
 */
export function startTransaction(db: Db, report: StartReport, now: Date): Promise<{ transactionId: number; authorization: Authorization }> {
  return transact(db, async (tx) => {
    const authorization = await authorize(tx, report.idToken, "start", now, report);
    const { before, content } = await findBefore(tx, report);
    const started = before === undefined ? await begin(tx, report, authorization, content.bootCount, now) : undefined;
    if (started !== undefined) return { transactionId: started.id, authorization };
    // Said before, or by another socket in this very moment.
    const first = before ?? (await transactionByStart(tx, content));
    if (first === undefined) throw new Error("a start that is neither new nor known");
    return { transactionId: first.id, authorization: { ...authorization, status: first.id_token_status as AuthorizationStatus } };
  });
}

/** What makes a start the same as another, and the transaction that it made if it came before. */
async function findBefore(tx: Db, report: StartReport): Promise<{ before: TransactionRow | undefined; content: StartContent }> {
  if (!isClockUnset(report.startTime)) {
    const content = { ...report, bootCount: 0 };
    return { before: await transactionByStart(tx, content), content };
  }
  // Without a clock a start looks like one of before the last boot. It is that one said again unless the charger knew its id already.
  await lockStarts(tx, report.chargerId);
  const charger = await chargerById(tx, report.chargerId);
  const content = { ...report, bootCount: charger?.boot_count ?? 0 };
  // What comes late on a connection that was taken over was said before what came on the newer one.
  const elsewhere = charger?.epoch === report.epoch ? adoptUnheardStart : newestByStart;
  return { before: (await transactionByStart(tx, content)) ?? (await elsewhere(tx, content)), content };
}

/** Keeps a start that was not said before, with the reservation that it ends, and tells of it. Undefined if somebody else says it just now. */
async function begin(
  tx: Db,
  report: StartReport,
  authorization: Authorization,
  bootCount: number,
  now: Date,
): Promise<TransactionRow | undefined> {
  const startTime = isClockUnset(report.startTime) ? now : report.startTime;
  const { reservation, flags } = await findUse(tx, { ...report, startTime, parentIdToken: authorization.parentIdToken });
  const started = await insertTransaction(tx, toRow(report, authorization, bootCount, flags, now));
  if (started === undefined) return undefined;
  if (reservation !== undefined) await useReservation(tx, reservation, started.id);
  await tellOfStart(tx, started);
  return started;
}

async function tellOfStart(tx: Db, started: TransactionRow): Promise<void> {
  for (const left of await stopMissing(tx, started)) await endTransaction(tx, left, { interrupted: false, newFlags: ["STOP_MISSING"] });
  await transactionStarted(tx, started);
  await transactionFlagged(tx, started, started.flags);
  // What began while the charger was offline came of no remote start.
  if (started.flags.includes("OFFLINE_START")) return;
  const command = await linkRemoteStart(tx, started);
  if (command === undefined) return;
  await commandUpdated(tx, command);
  await beginWithStart(tx, command, started);
}

function toRow(report: StartReport, { status, userId }: Authorization, bootCount: number, unusual: readonly TransactionFlag[], now: Date) {
  const unset = isClockUnset(report.startTime);
  const flags: TransactionFlag[] = [];
  if (status === "INVALID") flags.push("ID_TOKEN_UNKNOWN");
  else if (status !== "ACCEPTED") flags.push("ID_TOKEN_REJECTED");
  if (unset) flags.push("CLOCK_UNSET");
  else if (now.getTime() - report.startTime.getTime() > OFFLINE_AFTER_MS) flags.push("OFFLINE_START");
  flags.push(...unusual);
  return {
    charger_id: report.chargerId,
    evse_id: report.evseId,
    connector_id: report.connectorId,
    id_token: report.idToken,
    id_token_status: status,
    user_id: userId ?? null,
    state: "ACTIVE" as const,
    start_time: report.startTime,
    meter_start_wh: report.meterStartWh,
    flags,
    boot_count: bootCount,
  };
}
