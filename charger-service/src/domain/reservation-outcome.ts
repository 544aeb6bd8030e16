import { transact } from "@chargemesh/kit/postgres";
import { idTokenByText } from "../db/id-token.ts";
import {
  changeReservation,
  expireReservations,
  insertReservation,
  isConnectorReserved,
  isNumber,
  lockOpenReservations,
  lockReservationByNumber,
  openStates,
  type ReservationChange,
  removeReservations,
  reservationByCommand,
  warnReservations,
} from "../db/reservation.ts";
import type { ReservationRow } from "../db/reservation-tables.ts";
import type { CommandRow, ConnectorRow, Db } from "../db/schema.ts";
import { reservationCreated, reservationExpiring, reservationUpdated } from "../events.ts";
import { effectOf } from "./command-effect.ts";

// What becomes of reservations by what chargers say, and by time.

/** A command has ended: if it asked a charger to keep something, that is settled, as far as it can be. */
export async function settleReservation(tx: Db, command: CommandRow): Promise<void> {
  const reservation = await reservationByCommand(tx, command.id);
  if (reservation === undefined) return;
  const changed = await changeReservation(tx, reservation.id, ["PENDING"], await outcomeOf(tx, reservation, command));
  if (changed !== undefined) await reservationUpdated(tx, changed);
}

async function outcomeOf(tx: Db, reservation: ReservationRow, command: CommandRow): Promise<ReservationChange> {
  const { status, error_code } = command;
  switch (effectOf(command)) {
    case "DONE":
      return { state: "ACTIVE", status };
    case "REFUSED":
      return { state: "REFUSED", status };
    case "NONE":
      return { state: error_code === "CANCELLED" ? "CANCELLED" : "FAILED", error_code };
    case "UNKNOWN":
      // The charger may have said so before its answer was lost.
      return { state: (await isKept(tx, reservation)) ? "ACTIVE" : "UNCERTAIN", error_code };
  }
}

/** Whether the charger says that the connector is kept, and it is for nobody else. */
async function isKept(tx: Db, { id, charger_id, evse_id, connector_id }: ReservationRow): Promise<boolean> {
  if (connector_id === 0 || !(await isConnectorReserved(tx, charger_id, evse_id, connector_id))) return false;
  const open = await lockOpenReservations(tx, charger_id, connector_id);
  return open.every((one) => one.id === id || one.state !== "ACTIVE");
}

/** A charger has said that it keeps this no more, or that it has no such reservation: either way it is over. */
export async function reservationLetGo(tx: Db, chargerId: string, number: number): Promise<void> {
  const reservation = await lockReservationByNumber(tx, chargerId, number);
  const changed = reservation && (await changeReservation(tx, reservation.id, openStates, { state: "CANCELLED" }));
  if (changed !== undefined) await reservationUpdated(tx, changed);
}

/** What a charger was asked to keep, by a command that somebody wrote by hand. */
export interface KeptFacts {
  chargerId: string;
  number: number;
  evseId: number;
  connectorId: number;
  idToken: string;
  parentIdToken: string;
  expireTime: Date;
  commandId: string;
}

/** A charger keeps something that may not have been asked for by way of a reservation of ours: then it is known from now on. */
export async function reservationKept(tx: Db, facts: KeptFacts): Promise<void> {
  if (!isNumber(facts.number) || (await reservationByCommand(tx, facts.commandId)) !== undefined) return;
  const content = {
    evse_id: facts.evseId,
    connector_id: facts.connectorId,
    id_token: facts.idToken,
    parent_id_token: facts.parentIdToken,
    user_id: await userOfIdToken(tx, facts.idToken),
    expire_time: facts.expireTime,
    warn_time: null,
    state: "ACTIVE" as const,
    status: "",
    error_code: "",
    transaction_id: null,
  };
  const before = await lockReservationByNumber(tx, facts.chargerId, facts.number);
  if (before === undefined) {
    const row = { ...content, charger_id: facts.chargerId, number: facts.number, reserve_command_id: facts.commandId };
    return reservationCreated(tx, await insertReservation(tx, row));
  }
  // The same number again takes the place of what it stood for.
  const changed = await changeReservation(tx, before.id, [before.state], content);
  if (changed !== undefined) await reservationUpdated(tx, changed);
}

async function userOfIdToken(tx: Db, idToken: string): Promise<string | null> {
  return (await idTokenByText(tx, idToken))?.user_id ?? null;
}

/**
 * A connector, or with EVSE 0 the charger as a whole, has a new status: one that is faulty or unavailable keeps nothing any more
 * (OCPP 1.6 §5.13, 2.0.1 H01), and one that is kept settles what was uncertain.
 */
export async function heedStatus(tx: Db, { charger_id, connector_id, status }: ConnectorRow): Promise<void> {
  if (status === "FAULTED" || status === "UNAVAILABLE") {
    for (const removed of await removeReservations(tx, charger_id, connector_id)) await reservationUpdated(tx, removed);
  }
  if (status !== "RESERVED" || connector_id === 0) return;
  const open = (await lockOpenReservations(tx, charger_id, connector_id)).filter((one) => one.connector_id === connector_id);
  const [only, ...others] = open.filter(({ state }) => state !== "PENDING");
  if (only?.state !== "UNCERTAIN" || others.length > 0) return;
  const changed = await changeReservation(tx, only.id, ["UNCERTAIN"], { state: "ACTIVE" });
  if (changed !== undefined) await reservationUpdated(tx, changed);
}

/** How long before its end is told that a reservation is about to end, in minutes: time to get there from around the corner. */
const WARN_MINUTES = 10;

/** Tells of the reservations that are about to end, and ends those whose time is over. Any replica may do it; for each, one does. */
export function sweepReservations(db: Db): Promise<void> {
  return transact(db, async (tx) => {
    for (const expired of await expireReservations(tx)) await reservationUpdated(tx, expired);
    for (const expiring of await warnReservations(tx, WARN_MINUTES)) await reservationExpiring(tx, expiring);
  });
}
