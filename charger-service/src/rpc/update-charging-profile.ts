import type { ChargingProfile } from "@chargemesh/contracts/charger/v1/charging_profile";
import type {
  UpdateChargingProfileRequest,
  UpdateChargingProfileResponse,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { badRequest } from "@chargemesh/kit/errors";
import { changeChargingProfile, type ProfileChange } from "../domain/charging-profile.ts";
import { toChargingProfile } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";
import { readSchedule, toText } from "./profile-content.ts";
import { mustSay, readEtag, readUpdateMask, said } from "./request.ts";

const fields = ["display_name", "purpose", "stack_level", "kind", "recurrency", "valid_from_time", "valid_to_time", "schedule"] as const;

/** Changes a charging profile; a recurrency or a time that is named and not given is taken away. */
export const updateChargingProfile =
  ({ db }: RpcDeps) =>
  async ({ chargingProfile, updateMask }: UpdateChargingProfileRequest): Promise<UpdateChargingProfileResponse> => {
    if (!chargingProfile?.id) throw badRequest([{ field: "charging_profile.id", description: "is required" }]);
    const change = changeOf(chargingProfile, readUpdateMask(updateMask, fields));
    const profile = await changeChargingProfile(db, chargingProfile.id, readEtag(chargingProfile.etag), change);
    return { chargingProfile: toChargingProfile(profile) };
  };

function changeOf(profile: ChargingProfile, mask: ReadonlySet<(typeof fields)[number]>): ProfileChange {
  const content: ProfileChange["content"] = {};
  if (mask.has("purpose")) content.purpose = mustSay("charging_profile.purpose", profile.purpose);
  if (mask.has("stack_level")) content.stackLevel = profile.stackLevel;
  if (mask.has("kind")) content.kind = mustSay("charging_profile.kind", profile.kind);
  if (mask.has("recurrency")) content.recurrency = said(profile.recurrency);
  if (mask.has("valid_from_time")) content.validFromTime = toText("charging_profile.valid_from_time", profile.validFromTime);
  if (mask.has("valid_to_time")) content.validToTime = toText("charging_profile.valid_to_time", profile.validToTime);
  if (mask.has("schedule")) content.schedule = readSchedule(profile.schedule, "charging_profile.schedule");
  return mask.has("display_name") ? { displayName: profile.displayName, content } : { content };
}
