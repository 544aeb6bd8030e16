import type { DeleteIdTokenRequest, DeleteIdTokenResponse } from "@chargemesh/contracts/charger/v1/id_token_service";
import { removeIdToken } from "../domain/id-token.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteIdToken =
  ({ db }: RpcDeps) =>
  async ({ idToken }: DeleteIdTokenRequest): Promise<DeleteIdTokenResponse> => {
    await removeIdToken(db, idToken);
    return {};
  };
