import type { Handled, Request } from "./messages.ts";
import { type Charger, type Connector, connectorOf } from "./state.ts";
import { refresh } from "./status.ts";
import type { Cancel } from "./time.ts";

/** For whom a connector is kept, until when. */
export interface Reservation {
  readonly id: number;
  readonly idTag: string;
  readonly parentIdTag: string | undefined;
  readonly giveUp: Cancel;
}

/** OCPP 1.6 section 5.13. It keeps connectors, and not itself as a whole (ReserveConnectorZeroSupported). */
export function reserveNow(charger: Charger, request: Request<"ReserveNow">): Handled<"ReserveNow"> {
  const connector = connectorOf(charger, request.connectorId);
  const ms = Date.parse(request.expiryDate) - charger.time.now();
  if (connector === undefined || ms <= 0) return { answer: { status: "Rejected" } };
  if (connector.errorCode !== "NoError" || charger.whole.errorCode !== "NoError") return { answer: { status: "Faulted" } };
  if (!connector.operative) return { answer: { status: "Unavailable" } };
  const isOthers = connector.reservation !== undefined && connector.reservation.id !== request.reservationId;
  if (isOthers || connector.transaction !== undefined || connector.vehicle !== undefined || connector.awaited !== undefined) {
    return { answer: { status: "Occupied" } };
  }
  const after = (): void => {
    // The same number again takes the place of the one before, wherever that was.
    release(
      charger,
      charger.connectors.find(({ reservation }) => reservation?.id === request.reservationId),
    );
    const giveUp = charger.time.after(ms, () => release(charger, connector));
    connector.reservation = { id: request.reservationId, idTag: request.idTag, parentIdTag: request.parentIdTag, giveUp };
    refresh(charger, connector);
  };
  return { answer: { status: "Accepted" }, after };
}

/** Section 5.2. */
export function cancelReservation(charger: Charger, { reservationId }: Request<"CancelReservation">): Handled<"CancelReservation"> {
  const connector = charger.connectors.find(({ reservation }) => reservation?.id === reservationId);
  if (connector === undefined) return { answer: { status: "Rejected" } };
  return { answer: { status: "Accepted" }, after: () => release(charger, connector) };
}

/** Whether somebody may charge here: it is kept for nobody, for them, or for another of the same parent. */
export function mayUse({ reservation }: Connector, idTag: string, parentIdTag?: string): boolean {
  if (reservation === undefined || reservation.idTag.toLowerCase() === idTag.toLowerCase()) return true;
  return parentIdTag !== undefined && reservation.parentIdTag?.toLowerCase() === parentIdTag.toLowerCase();
}

/** The reservation of a connector is over. Answers its number, if there was one. */
export function endReservation(connector: Connector): number | undefined {
  const { reservation } = connector;
  reservation?.giveUp();
  connector.reservation = undefined;
  return reservation?.id;
}

function release(charger: Charger, connector: Connector | undefined): void {
  if (connector === undefined || endReservation(connector) === undefined) return;
  refresh(charger, connector);
}
