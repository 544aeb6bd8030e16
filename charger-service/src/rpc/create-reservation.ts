import type { CreateReservationRequest, CreateReservationResponse } from "@chargemesh/contracts/charger/v1/reservation_service";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { chargerById } from "../db/charger.ts";
import { commandByKey } from "../db/command.ts";
import { countOpenReservations, reservationByCommand } from "../db/reservation.ts";
import { checkReservable } from "../domain/charger-limits.ts";
import { noCharger } from "../domain/command.ts";
import { reserve } from "../domain/reservation.ts";
import { toReservation } from "../resources/reservation.ts";
import { chosenIdToken } from "./chosen-id-token.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** A reservation that is further off is a mistake, in ms. */
const AHEAD_MS_MAX = 30 * 24 * 3_600_000;
/** A driver who has more takes chargers away from the others. */
const OPEN_OF_DRIVER_MAX = 5;

/** Asks a charger to keep a connector for an id token. */
export const createReservation =
  ({ db, commander, limitsOf, clock }: RpcDeps) =>
  async (request: CreateReservationRequest, { caller, deadline }: Call): Promise<CreateReservationResponse> => {
    const { chargerId, connectorId, idempotencyKey } = request;
    const driver = limitedTo(caller);
    if (request.idToken === "" && driver === undefined) {
      throw badRequest([{ field: "id_token", description: "is required; only drivers may leave it out" }]);
    }
    const now = clock.now();
    const expireTime = readExpireTime(request.expireTime, now);
    const charger = await chargerById(db, chargerId);
    if (charger === undefined) throw noCharger(chargerId);
    // A repeat gets the first one's reservation, whatever has become of it.
    const first = idempotencyKey === "" ? undefined : await commandByKey(db, chargerId, idempotencyKey, userOf(caller));
    const again = first && (await reservationByCommand(db, first.id));
    if (again !== undefined) return { reservation: toReservation(again) };
    if (charger.availability === "UNAVAILABLE") {
      throw new AppError("failedPrecondition", "CHARGER_UNAVAILABLE", `Charger ${chargerId} is not available.`);
    }
    if (driver !== undefined && (await countOpenReservations(db, driver)) >= OPEN_OF_DRIVER_MAX) {
      throw new AppError("failedPrecondition", "TOO_MANY_RESERVATIONS", `You have ${OPEN_OF_DRIVER_MAX} reservations. Cancel one first.`);
    }
    checkReservable(chargerId, await limitsOf(chargerId), connectorId);
    const { userId: ownerId, ...idToken } = await chosenIdToken(db, request.idToken, driver, "authorize", now);
    const asking = {
      chargerId,
      waitSeconds: readWaitSeconds(request.waitSeconds, deadline),
      // What comes later than that would keep nothing.
      ttlSeconds: Math.min(request.ttlSeconds, Math.ceil((expireTime.getTime() - now.getTime()) / 1000)),
      idempotencyKey,
      userId: userOf(caller),
    };
    return { reservation: toReservation(await reserve(db, commander, asking, { ...idToken, connectorId, ownerId, expireTime })) };
  };

function readExpireTime(time: Date | undefined, now: Date): Date {
  if (time === undefined) throw badRequest([{ field: "expire_time", description: "is required" }]);
  const ahead = time.getTime() - now.getTime();
  if (ahead > 0 && ahead <= AHEAD_MS_MAX) return time;
  throw badRequest([{ field: "expire_time", description: "must be later than now, and at most 30 days" }]);
}
