import type { GetChargingProfileRequest, GetChargingProfileResponse } from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { existingChargingProfile } from "../domain/charging-profile.ts";
import { toChargingProfile } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";

export const getChargingProfile =
  ({ db }: RpcDeps) =>
  async ({ id }: GetChargingProfileRequest): Promise<GetChargingProfileResponse> => ({
    chargingProfile: toChargingProfile(await existingChargingProfile(db, id)),
  });
