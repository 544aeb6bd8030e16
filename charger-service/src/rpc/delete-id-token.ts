import type { DeleteIdTokenRequest, DeleteIdTokenResponse } from "@chargemesh/contracts/charger/v1/id_token_service";
import { deleteIdToken as deleteRow } from "../db/id-token.ts";
import { noIdToken } from "../domain/id-token.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteIdToken =
  ({ db }: RpcDeps) =>
  async ({ idToken }: DeleteIdTokenRequest): Promise<DeleteIdTokenResponse> => {
    if (!(await deleteRow(db, idToken))) throw noIdToken(idToken);
    return {};
  };
