import type {
  AssignChargingProfileRequest,
  AssignChargingProfileResponse,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { assignmentByCommand } from "../db/assignment.ts";
import { chargerById } from "../db/charger.ts";
import { commandByKey } from "../db/command.ts";
import { assignProfile, placeOf } from "../domain/assignment.ts";
import { checkTakeable } from "../domain/charger-limits.ts";
import { existingChargingProfile } from "../domain/charging-profile.ts";
import { noCharger } from "../domain/command.ts";
import { toAssignment } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Sends a charging profile to a charger. */
export const assignChargingProfile =
  ({ db, commander, limitsOf }: RpcDeps) =>
  async (request: AssignChargingProfileRequest, { caller, deadline }: Call): Promise<AssignChargingProfileResponse> => {
    const { id, chargerId, ttlSeconds, idempotencyKey } = request;
    const profile = await existingChargingProfile(db, id);
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    // A repeat gets the first one's assignment, even if its transaction is over.
    const first = idempotencyKey === "" ? undefined : await commandByKey(db, chargerId, idempotencyKey, userOf(caller));
    const again = first && (await assignmentByCommand(db, first.id));
    if (again?.charging_profile_id === id) return { assignment: toAssignment(again) };
    const place = await placeOf(db, chargerId, profile.content, request);
    checkTakeable(chargerId, await limitsOf(chargerId), profile.content);
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds, idempotencyKey, userId: userOf(caller) };
    return { assignment: toAssignment(await assignProfile(db, commander, asking, profile, place)) };
  };
