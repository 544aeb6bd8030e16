import type { UpdateMyPreferencesRequest, UpdateMyPreferencesResponse } from "@chargemesh/contracts/email/v1/preference_service";
import type { Clock } from "@chargemesh/kit/clock";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { Db } from "../db/schema.ts";
import { changePreferences, readChange, userIdOf } from "./preferences.ts";

export const updateMyPreferences =
  (needs: { db: Db; clock: Clock }) =>
  async ({ preferences, updateMask }: UpdateMyPreferencesRequest, { caller }: Call): Promise<UpdateMyPreferencesResponse> => ({
    preferences: await changePreferences(needs, userIdOf(caller), readChange(preferences, updateMask)),
  });
