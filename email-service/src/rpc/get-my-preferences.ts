import type { GetMyPreferencesRequest, GetMyPreferencesResponse } from "@chargemesh/contracts/email/v1/preference_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { Db } from "../db/schema.ts";
import { preferencesOf, userIdOf } from "./preferences.ts";

export const getMyPreferences =
  ({ db }: { db: Db }) =>
  async (_request: GetMyPreferencesRequest, { caller }: Call): Promise<GetMyPreferencesResponse> => ({
    preferences: await preferencesOf(db, userIdOf(caller)),
  });
