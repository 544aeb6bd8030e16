import { recordAudit } from "@chargemesh/kit/audit";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { commandById, endCommand } from "../db/command.ts";
import {
  changeReservation,
  insertReservation,
  nextReservationNumber,
  openStates,
  reservationByCommand,
  reservationById,
} from "../db/reservation.ts";
import type { ReservationRow } from "../db/reservation-tables.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { commandUpdated, reservationCreated, reservationUpdated } from "../events.ts";
import type { Asking, Commander } from "./command.ts";
import { settleReservation } from "./reservation-outcome.ts";

/** What somebody wants a charger to keep; connector 0 is any one. */
export interface NewReservation {
  connectorId: number;
  idToken: string;
  /** Empty if none. */
  parentIdToken: string;
  /** The user that the id token belongs to. */
  ownerId: string | null;
  expireTime: Date;
}

/** Asks a charger to keep a connector, and answers what has become of that within the wait. INVALID_ARGUMENT if it cannot be told so. */
export async function reserve(db: Db, commander: Commander, asking: Asking, wanted: NewReservation): Promise<ReservationRow> {
  const { connectorId, idToken, parentIdToken, expireTime } = wanted;
  const number = await nextReservationNumber(db, asking.chargerId);
  const keep = async (tx: Db, command: CommandRow): Promise<void> => {
    const reservation = await insertReservation(tx, {
      charger_id: asking.chargerId,
      number,
      evse_id: connectorId,
      connector_id: connectorId,
      id_token: idToken,
      parent_id_token: parentIdToken,
      user_id: wanted.ownerId,
      expire_time: expireTime,
      reserve_command_id: command.id,
    });
    await reservationCreated(tx, reservation);
    await recordAudit(tx, { resource: resourceOf(reservation), details: { chargerId: asking.chargerId, idToken } });
  };
  const question = { kind: "reserve", number, connectorId, idToken, parentIdToken, expireTime } as const;
  const command = await commander.ask({ ...asking, question, field: "id_token", keep });
  const reservation = await reservationByCommand(db, command.id);
  if (reservation !== undefined) return reservation;
  throw badRequest([{ field: "idempotency_key", description: "was used for another command of this charger" }]);
}

/**
 * Lets a reservation go, and answers how it stands after the wait. NOT_FOUND if there is none or, with `userId`, none of theirs;
 * FAILED_PRECONDITION if it is over.
 */
export async function cancelReservation(
  db: Db,
  commander: Commander,
  id: string,
  { waitSeconds, askedBy, userId, now }: { waitSeconds: number; askedBy: string | undefined; userId: string | undefined; now: Date },
): Promise<ReservationRow> {
  const reservation = await existingReservation(db, id, userId);
  if (!openStates.includes(reservation.state)) {
    throw new AppError("failedPrecondition", "RESERVATION_ENDED", `Reservation ${id} is over: ${reservation.state}.`);
  }
  if (await isBeingCancelled(db, reservation)) return reservation;
  const unsent = await cancelUnsent(db, id);
  if (unsent !== undefined) return unsent;
  const ttlSeconds = Math.max(1, Math.ceil((reservation.expire_time.getTime() - now.getTime()) / 1000));
  const question = { kind: "cancelReservation", number: reservation.number } as const;
  const keep = async (tx: Db, command: CommandRow): Promise<void> => {
    const changed = await changeReservation(tx, id, openStates, { cancel_command_id: command.id });
    if (changed !== undefined) await reservationUpdated(tx, changed);
    await recordAudit(tx, { resource: resourceOf(reservation) });
  };
  const asking = { chargerId: reservation.charger_id, waitSeconds, ttlSeconds, idempotencyKey: "", userId: askedBy };
  await commander.ask({ ...asking, question, field: "id", keep });
  return existingReservation(db, id, userId);
}

/** A reservation. NOT_FOUND if there is none with this id or, with `userId`, if it is not that user's. */
export async function existingReservation(db: Db, id: string, userId: string | undefined): Promise<ReservationRow> {
  const reservation = await reservationById(db, id, userId);
  if (reservation === undefined) throw new AppError("notFound", "RESERVATION_NOT_FOUND", `No reservation ${id}.`);
  return reservation;
}

/** Whether the charger is being asked to let it go already. */
async function isBeingCancelled(db: Db, { charger_id, cancel_command_id }: ReservationRow): Promise<boolean> {
  const command = cancel_command_id === null ? undefined : await commandById(db, charger_id, cancel_command_id);
  return command?.state === "QUEUED" || command?.state === "SENT";
}

/** Ends a reservation of which the charger has not been told. Undefined if it has. */
function cancelUnsent(db: Db, id: string): Promise<ReservationRow | undefined> {
  return transact(db, async (tx) => {
    const { state, reserve_command_id: commandId } = (await reservationById(tx, id)) ?? {};
    if (state !== "PENDING" || commandId === undefined || commandId === null) return undefined;
    // The command first, as where it ends.
    const cancelled = { state: "FAILED", errorCode: "CANCELLED", errorDescription: "It was cancelled before it was sent." } as const;
    const command = await endCommand(tx, commandId, ["QUEUED"], cancelled);
    if (command === undefined) return undefined;
    await commandUpdated(tx, command);
    await settleReservation(tx, command);
    const reservation = await existingReservation(tx, id, undefined);
    await recordAudit(tx, { resource: resourceOf(reservation) });
    return reservation;
  });
}

function resourceOf({ id }: ReservationRow): string {
  return `reservations/${id}`;
}
