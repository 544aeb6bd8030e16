import type { CancelReservationRequest, CancelReservationResponse } from "@chargemesh/contracts/charger/v1/reservation_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { cancelReservation as cancel } from "../domain/reservation.ts";
import { toReservation } from "../resources/reservation.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

export const cancelReservation =
  ({ db, commander, clock }: RpcDeps) =>
  async (request: CancelReservationRequest, { caller, deadline }: Call): Promise<CancelReservationResponse> => {
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asker = { waitSeconds, askedBy: userOf(caller), userId: limitedTo(caller), now: clock.now() };
    return { reservation: toReservation(await cancel(db, commander, request.id, asker)) };
  };
