import type { GetIdTokenRequest, GetIdTokenResponse } from "@chargemesh/contracts/charger/v1/id_token_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { idTokenByText } from "../db/id-token.ts";
import { noIdToken } from "../domain/id-token.ts";
import { toIdToken } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const getIdToken =
  ({ db }: RpcDeps) =>
  async ({ idToken }: GetIdTokenRequest, { caller }: Call): Promise<GetIdTokenResponse> => {
    const row = await idTokenByText(db, idToken, limitedTo(caller));
    if (row === undefined) throw noIdToken(idToken);
    return { idToken: toIdToken(row) };
  };
