import type { DeleteMySessionRequest, DeleteMySessionResponse } from "@chargemesh/contracts/auth/v1/session_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { endSessionOf, userOf } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const deleteMySession =
  ({ db }: Pick<TokenDeps, "db">) =>
  async ({ id }: DeleteMySessionRequest, { caller }: Call): Promise<DeleteMySessionResponse> => {
    await endSessionOf(db, userOf(caller).userId, id);
    return {};
  };
