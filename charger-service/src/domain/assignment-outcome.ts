import { jsonText, transact } from "@chargemesh/kit/postgres";
import {
  type AssignmentChange,
  assignmentByCommand,
  changeAssignment,
  clearAssignments,
  endAssignmentsOf,
  giveUpStarts,
  insertAssignment,
  replaceAssignments,
} from "../db/assignment.ts";
import { keepReportedSchedule } from "../db/charging-profile.ts";
import type { AssignmentRow, ScheduleReport } from "../db/charging-profile-tables.ts";
import { LINK_SECONDS } from "../db/command.ts";
import type { CommandRow, Db, TransactionRow } from "../db/schema.ts";
import { activeTransactions, lockTransaction, transactionById } from "../db/transaction.ts";
import { assignmentUpdated } from "../events.ts";
import { effectOf } from "./command-effect.ts";
import type { NumberedProfile, ProfileFilter } from "./schedule-question.ts";

// What becomes of charging profiles at chargers, by what chargers say.

/** A command has ended: if it carried a charging profile, that is settled, as far as it can be. */
export async function settleAssignment(tx: Db, command: CommandRow): Promise<void> {
  const assignment = await assignmentByCommand(tx, command.id);
  if (assignment === undefined) return;
  const change = await outcomeOf(tx, assignment, command);
  const changed = change && (await changeAssignment(tx, assignment.id, ["PENDING"], change));
  if (changed !== undefined) await tell(tx, changed);
}

async function outcomeOf(tx: Db, assignment: AssignmentRow, command: CommandRow): Promise<AssignmentChange | undefined> {
  const { status, error_code } = command;
  switch (effectOf(command)) {
    case "DONE":
      // With a remote start it counts once its transaction is there.
      if (assignment.with_start) return undefined;
      return { state: (await isOver(tx, assignment)) ? "ENDED" : "INSTALLED", status };
    case "REFUSED":
      return { state: "REFUSED", status };
    case "NONE":
      return { state: "FAILED", error_code };
    case "UNKNOWN":
      return { state: "UNCERTAIN", error_code };
  }
}

/** Whether its transaction has stopped meanwhile: no charger keeps a profile beyond that. A stop in this moment waits for us, or we for it. */
async function isOver(tx: Db, { charger_id, transaction_id }: Pick<AssignmentRow, "charger_id" | "transaction_id">): Promise<boolean> {
  return transaction_id !== null && (await lockTransaction(tx, charger_id, transaction_id))?.state === "STOPPED";
}

/** Tells of a change; what is installed now has taken the place of others. */
async function tell(tx: Db, changed: AssignmentRow): Promise<void> {
  if (changed.state === "INSTALLED") {
    for (const replaced of await replaceAssignments(tx, changed)) await assignmentUpdated(tx, replaced);
  }
  await assignmentUpdated(tx, changed);
}

/** Where a profile was sent. */
export interface SentTo {
  chargerId: string;
  evseId: number;
  connectorId: number;
  transactionId: number | undefined;
}

/** A charger has taken a profile that may not have been sent by way of an assignment of ours: then it is known from now on. */
export async function profileSent(tx: Db, commandId: string, place: SentTo, profile: NumberedProfile): Promise<void> {
  if ((await assignmentByCommand(tx, commandId)) !== undefined) return;
  const transactionId = profile.content.purpose === "TRANSACTION" ? await transactionAt(tx, place) : undefined;
  const row = { ...rowOf(commandId, place, profile), transaction_id: transactionId ?? null };
  await tell(tx, await insertAssignment(tx, { ...row, state: (await isOver(tx, row)) ? "ENDED" : "INSTALLED" }));
}

/** The transaction that a profile is for: the one that was named, else the one that is active there. */
async function transactionAt(tx: Db, { chargerId, connectorId, transactionId }: SentTo): Promise<number | undefined> {
  if (transactionId !== undefined) return (await lockTransaction(tx, chargerId, transactionId))?.id;
  return (await activeTransactions(tx, chargerId)).find(({ connector_id }) => connector_id === connectorId)?.id;
}

/** The same for a profile that came with a remote start. */
export async function profileSentWithStart(tx: Db, command: CommandRow, connectorId: number, profile: NumberedProfile): Promise<void> {
  if ((await assignmentByCommand(tx, command.id)) !== undefined) return;
  const place = { chargerId: command.charger_id, evseId: connectorId, connectorId, transactionId: undefined };
  await insertAssignment(tx, { ...rowOf(command.id, place, profile), with_start: true });
  const { transaction_id } = command;
  const transaction = transaction_id === null ? undefined : await transactionById(tx, transaction_id);
  if (transaction !== undefined) await beginWithStart(tx, command, transaction);
}

function rowOf(commandId: string, { chargerId, evseId, connectorId }: SentTo, { number, content }: NumberedProfile) {
  return {
    command_id: commandId,
    charger_id: chargerId,
    evse_id: evseId,
    connector_id: connectorId,
    number,
    purpose: content.purpose,
    stack_level: content.stackLevel,
    content: jsonText(content),
  };
}

/** A remote start has led to a transaction: if it carried a profile, that is the transaction's. */
export async function beginWithStart(tx: Db, command: CommandRow, transaction: TransactionRow): Promise<void> {
  const assignment = await assignmentByCommand(tx, command.id);
  if (assignment?.with_start !== true) return;
  const { id, evse_id, connector_id, state } = transaction;
  const change = { state: state === "ACTIVE" ? "INSTALLED" : "ENDED", transaction_id: id, evse_id, connector_id } as const;
  const changed = await changeAssignment(tx, assignment.id, ["PENDING", "UNCERTAIN"], change);
  if (changed !== undefined) await tell(tx, changed);
}

/** A charger has forgotten what matches, or has nothing that does. */
export async function profilesCleared(tx: Db, chargerId: string, filter: ProfileFilter): Promise<void> {
  for (const cleared of await clearAssignments(tx, chargerId, filter)) await assignmentUpdated(tx, cleared);
}

/** A transaction is over, and its profiles with it (OCPP 1.6 §3.13.1). */
export async function endProfilesOf(tx: Db, transactionId: number): Promise<void> {
  for (const ended of await endAssignmentsOf(tx, transactionId)) await assignmentUpdated(tx, ended);
}

/** A charger has said what its profiles come to. */
export function scheduleReported(tx: Db, command: CommandRow, connectorId: number, report: ScheduleReport): Promise<void> {
  return keepReportedSchedule(tx, command.charger_id, connectorId, command.id, report);
}

/** Gives up the profiles of remote starts that have led to nothing. Any replica may do it; for each, one does. */
export function sweepAssignments(db: Db): Promise<void> {
  return transact(db, async (tx) => {
    for (const failed of await giveUpStarts(tx, LINK_SECONDS)) await assignmentUpdated(tx, failed);
  });
}
