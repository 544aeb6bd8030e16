import type { RevokeSessionsRequest, RevokeSessionsResponse } from "@chargemesh/contracts/auth/v1/session_service";
import { endSessionsOf, mustExist } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const revokeSessions =
  ({ db }: Pick<TokenDeps, "db">) =>
  async ({ userId }: RevokeSessionsRequest): Promise<RevokeSessionsResponse> => {
    await mustExist(db, userId);
    return { count: await endSessionsOf(db, userId) };
  };
