import type { GetUserPreferencesRequest, GetUserPreferencesResponse } from "@chargemesh/contracts/email/v1/preference_service";
import type { Db } from "../db/schema.ts";
import { mustBeKnown, preferencesOf } from "./preferences.ts";

export const getUserPreferences =
  ({ db }: { db: Db }) =>
  async ({ userId }: GetUserPreferencesRequest): Promise<GetUserPreferencesResponse> => {
    await mustBeKnown(db, userId);
    return { preferences: await preferencesOf(db, userId) };
  };
