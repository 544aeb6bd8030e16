import type {
  DeleteChargingProfileRequest,
  DeleteChargingProfileResponse,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { removeChargingProfile } from "../domain/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteChargingProfile =
  ({ db }: RpcDeps) =>
  async ({ id }: DeleteChargingProfileRequest): Promise<DeleteChargingProfileResponse> => {
    await removeChargingProfile(db, id);
    return {};
  };
