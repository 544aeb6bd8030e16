import { changeReservation, lockOpenReservations, lockReservationByNumber } from "../db/reservation.ts";
import type { ReservationRow, ReservationState } from "../db/reservation-tables.ts";
import type { Db, TransactionFlag } from "../db/schema.ts";
import { reservationUpdated } from "../events.ts";

/** What a start says that decides which reservation it ends. */
export interface Claim {
  chargerId: string;
  connectorId: number;
  idToken: string;
  parentIdToken: string;
  /** By the charger's clock, if that was ever set. */
  startTime: Date;
  /** The number of a reservation, if the charger names one. */
  reservationNumber: number | undefined;
}

/** How far a charger's clock may be behind ours, in ms: what was reserved later than that after a start has nothing to do with it. */
const CLOCKS_MS = 60_000;

/** The reservation that a start ends, and what is unusual about that. */
export interface Use {
  reservation: ReservationRow | undefined;
  flags: TransactionFlag[];
}

/** Those of which a start may still say that it used them: what the charger says of itself outweighs what we concluded. */
const usable: readonly ReservationState[] = ["PENDING", "ACTIVE", "UNCERTAIN", "REFUSED", "FAILED", "CANCELLED", "EXPIRED", "REMOVED"];

/**
 * Which reservation a start ends: the one that the charger names (OCPP 1.6 §4.8), else one that is kept at its connector, or as any one of
 * the charger, for its id token or one of the same parent. A start at a connector that is kept for somebody else is flagged.
 */
export async function findUse(tx: Db, claim: Claim): Promise<Use> {
  const isFor = (reservation: ReservationRow): boolean =>
    isSame(reservation.id_token, claim.idToken) ||
    (reservation.parent_id_token !== "" && isSame(reservation.parent_id_token, claim.parentIdToken));
  const { reservationNumber } = claim;
  const named = reservationNumber === undefined ? undefined : await lockReservationByNumber(tx, claim.chargerId, reservationNumber);
  const open = await lockOpenReservations(tx, claim.chargerId, claim.connectorId);
  const start = claim.startTime.getTime();
  const held = open.filter((one) => one.expire_time.getTime() > start && one.create_time.getTime() <= start + CLOCKS_MS);
  const reservation = named?.state === "USED" ? undefined : (named ?? held.find(isFor));
  const isKeptForAnother =
    reservation === undefined
      ? held.some(({ state, connector_id }) => state === "ACTIVE" && connector_id === claim.connectorId)
      : !isFor(reservation);
  return { reservation, flags: isKeptForAnother ? ["RESERVED_FOR_ANOTHER"] : [] };
}

/** A transaction has begun with a reservation. */
export async function useReservation(tx: Db, reservation: ReservationRow, transactionId: number): Promise<void> {
  const used = await changeReservation(tx, reservation.id, usable, { state: "USED", transaction_id: transactionId });
  if (used !== undefined) await reservationUpdated(tx, used);
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
