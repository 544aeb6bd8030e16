import { recordAudit } from "@chargemesh/kit/audit";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import { jsonText } from "@chargemesh/kit/postgres";
import { assignmentByCommand, assignmentById, insertAssignment, nextProfileNumber } from "../db/assignment.ts";
import { lockChargingProfile } from "../db/charging-profile.ts";
import type { AssignmentRow, ChargingProfileRow, ProfileContent } from "../db/charging-profile-tables.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { activeTransactions } from "../db/transaction.ts";
import { assignmentUpdated } from "../events.ts";
import { noChargingProfile } from "./charging-profile.ts";
import type { Asking, Commander } from "./command.ts";
import type { NumberedProfile, ProfileFilter } from "./schedule-question.ts";
import { existingTransaction } from "./transaction.ts";

/** Where a charging profile is to count. Connector 0 is the charger as a whole or, of a default, each connector. */
export interface ProfilePlace {
  connectorId: number;
  transactionId: number | undefined;
}

/** Sends a charging profile to a charger, and answers what has become of that within the wait. INVALID_ARGUMENT if it cannot be told so. */
export async function assignProfile(
  db: Db,
  commander: Commander,
  asking: Asking,
  profile: ChargingProfileRow,
  place: ProfilePlace,
): Promise<AssignmentRow> {
  const { chargerId } = asking;
  const numbered = { number: await nextProfileNumber(db, chargerId), content: profile.content };
  const keep = (tx: Db, command: CommandRow) => keepAssignment(tx, command, { source: profile, numbered, place, withStart: false });
  const question = { kind: "setChargingProfile", ...place, profile: numbered } as const;
  const command = await commander.ask({ ...asking, question, field: "id", keep });
  const assignment = await assignmentByCommand(db, command.id);
  if (assignment !== undefined) return assignment;
  throw badRequest([{ field: "idempotency_key", description: "was used for another command of this charger" }]);
}

/** What a command carries to a charger, and whence; `source` is undefined if it is not kept here. */
interface Carried {
  source: ChargingProfileRow | undefined;
  numbered: NumberedProfile;
  place: ProfilePlace;
  /** Whether it comes with a remote start, and counts from when its transaction is there. */
  withStart: boolean;
}

/** Puts into the books what a command carries to a charger. NOT_FOUND if the profile was deleted in this moment. */
export async function keepAssignment(tx: Db, command: CommandRow, { source, numbered, place, withStart }: Carried): Promise<void> {
  if (source !== undefined && (await lockChargingProfile(tx, source.id)) === undefined) throw noChargingProfile(source.id);
  const { number, content } = numbered;
  const assignment = await insertAssignment(tx, {
    charging_profile_id: source?.id ?? null,
    charging_profile_version: source?.version ?? null,
    charger_id: command.charger_id,
    evse_id: place.connectorId,
    connector_id: place.connectorId,
    transaction_id: place.transactionId ?? null,
    number,
    purpose: content.purpose,
    stack_level: content.stackLevel,
    content: jsonText(content),
    command_id: command.id,
    with_start: withStart,
  });
  await assignmentUpdated(tx, assignment);
  if (source !== undefined) {
    const details = { chargerId: command.charger_id, connectorId: String(place.connectorId) };
    await recordAudit(tx, { resource: `chargingProfiles/${source.id}`, details });
  }
}

/**
 * Where a profile counts, by what was asked (OCPP 1.6 §3.13.1, §5.16). INVALID_ARGUMENT if its purpose does not go with that, NOT_FOUND if
 * there is no such transaction, FAILED_PRECONDITION if none is active.
 */
export async function placeOf(
  db: Db,
  chargerId: string,
  { purpose }: ProfileContent,
  asked: { connectorId: number; transactionId: string },
): Promise<ProfilePlace> {
  const { connectorId } = asked;
  if (purpose === "TRANSACTION") return transactionPlace(db, chargerId, asked);
  if (asked.transactionId !== "") throw badRequest([{ field: "transaction_id", description: "must be said only with TRANSACTION" }]);
  if (purpose === "CHARGER_MAX" && connectorId !== 0) {
    throw badRequest([{ field: "connector_id", description: "must be 0 with CHARGER_MAX" }]);
  }
  return { connectorId, transactionId: undefined };
}

async function transactionPlace(
  db: Db,
  chargerId: string,
  { connectorId, transactionId }: { connectorId: number; transactionId: string },
): Promise<ProfilePlace> {
  if (transactionId === "") {
    if (connectorId === 0) throw badRequest([{ field: "transaction_id", description: "is required with TRANSACTION, or connector_id" }]);
    const active = (await activeTransactions(db, chargerId)).findLast((one) => one.connector_id === connectorId);
    if (active !== undefined) return { connectorId, transactionId: active.id };
    const message = `No transaction is active at connector ${connectorId} of charger ${chargerId}.`;
    throw new AppError("failedPrecondition", "NO_TRANSACTION", message);
  }
  const transaction = await existingTransaction(db, transactionId, undefined);
  if (transaction.charger_id !== chargerId) throw new AppError("notFound", "TRANSACTION_NOT_FOUND", `No transaction ${transactionId}.`);
  if (transaction.state === "STOPPED") {
    throw new AppError("failedPrecondition", "TRANSACTION_STOPPED", `Transaction ${transactionId} has stopped.`);
  }
  if (connectorId !== 0 && connectorId !== transaction.connector_id) {
    throw badRequest([{ field: "connector_id", description: `must be 0, or ${transaction.connector_id}, where the transaction is` }]);
  }
  return { connectorId: transaction.connector_id, transactionId: transaction.id };
}

/** The filter of one assignment. NOT_FOUND if this charger has none of this id. */
export async function filterOfAssignment(db: Db, chargerId: string, assignmentId: string): Promise<ProfileFilter> {
  const assignment = await assignmentById(db, chargerId, assignmentId);
  if (assignment !== undefined) return { number: assignment.number };
  throw new AppError("notFound", "ASSIGNMENT_NOT_FOUND", `No assignment ${assignmentId} at charger ${chargerId}.`);
}
