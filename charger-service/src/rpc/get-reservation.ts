import type { GetReservationRequest, GetReservationResponse } from "@chargemesh/contracts/charger/v1/reservation_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { existingReservation } from "../domain/reservation.ts";
import { toReservation } from "../resources/reservation.ts";
import type { RpcDeps } from "./deps.ts";

export const getReservation =
  ({ db }: RpcDeps) =>
  async ({ id }: GetReservationRequest, { caller }: Call): Promise<GetReservationResponse> => ({
    reservation: toReservation(await existingReservation(db, id, limitedTo(caller))),
  });
