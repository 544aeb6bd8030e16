import type { RevokeMySessionsRequest, RevokeMySessionsResponse } from "@chargemesh/contracts/auth/v1/session_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { endSessionsOf, userOf } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const revokeMySessions =
  ({ db }: Pick<TokenDeps, "db">) =>
  async (_request: RevokeMySessionsRequest, { caller }: Call): Promise<RevokeMySessionsResponse> => ({
    count: await endSessionsOf(db, userOf(caller).userId),
  });
