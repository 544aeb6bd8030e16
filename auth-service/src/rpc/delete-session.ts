import type { DeleteSessionRequest, DeleteSessionResponse } from "@chargemesh/contracts/auth/v1/session_service";
import { endSessionOf } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const deleteSession =
  ({ db }: Pick<TokenDeps, "db">) =>
  async ({ userId, id }: DeleteSessionRequest): Promise<DeleteSessionResponse> => {
    await endSessionOf(db, userId, id);
    return {};
  };
