import type { ListReservationsRequest, ListReservationsResponse } from "@chargemesh/contracts/charger/v1/reservation_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { reservationsBefore } from "../db/reservation.ts";
import { toReservation } from "../resources/reservation.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said, text } from "./request.ts";

export const listReservations =
  ({ db }: RpcDeps) =>
  async (request: ListReservationsRequest, { caller }: Call): Promise<ListReservationsResponse> => {
    const size = pageSize(request.pageSize);
    const found = await reservationsBefore(db, readNumberToken(request.pageToken), size + 1, {
      chargerId: text(request.chargerId),
      idToken: text(request.idToken),
      state: said(request.state),
      userId: limitedTo(caller),
    });
    const { rows, nextPageToken } = toPage(found, size, ({ ordinal }) => [ordinal]);
    return { reservations: rows.map(toReservation), nextPageToken };
  };
