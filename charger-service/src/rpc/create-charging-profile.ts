import type {
  CreateChargingProfileRequest,
  CreateChargingProfileResponse,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { badRequest } from "@chargemesh/kit/errors";
import { createChargingProfile as create } from "../domain/charging-profile.ts";
import { toChargingProfile } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";
import { readContent } from "./profile-content.ts";

export const createChargingProfile =
  ({ db }: RpcDeps) =>
  async ({ chargingProfile }: CreateChargingProfileRequest): Promise<CreateChargingProfileResponse> => {
    if (chargingProfile === undefined) throw badRequest([{ field: "charging_profile", description: "is required" }]);
    const content = readContent(chargingProfile, "charging_profile");
    return { chargingProfile: toChargingProfile(await create(db, chargingProfile.displayName, content)) };
  };
