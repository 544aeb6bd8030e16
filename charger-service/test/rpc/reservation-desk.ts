import type { Reservation } from "@chargemesh/contracts/charger/v1/reservation";
import { CreateReservationRequest, ListReservationsRequest } from "@chargemesh/contracts/charger/v1/reservation_service";
import type { Metadata } from "@grpc/grpc-js";
import { call, given, type Service } from "../service.ts";

export const HOUR_MS = 3_600_000;

/** What is done with reservations, by an operator unless somebody else is said, at `chargerId` unless another one is. */
export function makeReservationDesk(service: Service, operator: Metadata, chargerId: string) {
  let connectors = 0;
  /** A connector that nothing was done with. */
  const freeConnector = (): number => ++connectors;
  const reserve = async (fields: Partial<CreateReservationRequest> = {}, as = operator): Promise<Reservation> => {
    const expireTime = new Date(Date.now() + HOUR_MS);
    const request = CreateReservationRequest.fromPartial({
      chargerId,
      connectorId: freeConnector(),
      idToken: "card",
      expireTime,
      ...fields,
    });
    return given((await call(service.reservations, service.reservations.createReservation, request, as)).reservation);
  };
  const get = async (id: string, as = operator): Promise<Reservation> =>
    given((await call(service.reservations, service.reservations.getReservation, { id }, as)).reservation);
  const cancel = async (id: string, as = operator): Promise<Reservation> =>
    given((await call(service.reservations, service.reservations.cancelReservation, { id, waitSeconds: 0 }, as)).reservation);
  const list = async (fields: Partial<ListReservationsRequest> = {}, as = operator) =>
    call(service.reservations, service.reservations.listReservations, ListReservationsRequest.fromPartial(fields), as);
  return { reserve, get, cancel, list, freeConnector };
}
