import type { RefreshTokensRequest, RefreshTokensResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { refreshSession } from "../domain/session.ts";
import type { Deps } from "./index.ts";
import { toSignedInUser } from "./signed-in-user.ts";

export const refreshTokens =
  ({ db, sessions }: Pick<Deps, "db" | "sessions">) =>
  async ({ refreshToken }: RefreshTokensRequest): Promise<RefreshTokensResponse> => {
    return { user: toSignedInUser(await refreshSession(sessions, db, refreshToken)) };
  };
