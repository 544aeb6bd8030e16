import type { UpdateUserPreferencesRequest, UpdateUserPreferencesResponse } from "@chargemesh/contracts/email/v1/preference_service";
import type { Clock } from "@chargemesh/kit/clock";
import { badRequest } from "@chargemesh/kit/errors";
import type { Db } from "../db/schema.ts";
import { changePreferences, mustBeKnown, readChange } from "./preferences.ts";

export const updateUserPreferences =
  (needs: { db: Db; clock: Clock }) =>
  async ({ preferences, updateMask }: UpdateUserPreferencesRequest): Promise<UpdateUserPreferencesResponse> => {
    const userId = preferences?.userId ?? "";
    if (userId === "") throw badRequest([{ field: "preferences.user_id", description: "is required" }]);
    const change = readChange(preferences, updateMask);
    await mustBeKnown(needs.db, userId);
    return { preferences: await changePreferences(needs, userId, change) };
  };
