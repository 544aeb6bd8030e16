import type { CreateIdTokenRequest, CreateIdTokenResponse } from "@chargemesh/contracts/charger/v1/id_token_service";
import { badRequest } from "@chargemesh/kit/errors";
import { registerIdToken } from "../domain/id-token.ts";
import { toIdToken } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readTime, said, text } from "./request.ts";

export const createIdToken =
  ({ db }: RpcDeps) =>
  async ({ idToken }: CreateIdTokenRequest): Promise<CreateIdTokenResponse> => {
    if (idToken === undefined) throw badRequest([{ field: "id_token", description: "is required" }]);
    const { expiryTime } = idToken;
    const row = await registerIdToken(db, idToken.idToken, {
      type: said(idToken.type) ?? "ISO14443",
      status: said(idToken.status) ?? "ACCEPTED",
      expiry_time: expiryTime === undefined ? null : readTime("id_token.expiry_time", expiryTime),
      parent_id_token: idToken.parentIdToken,
      user_id: text(idToken.userId) ?? null,
    });
    return { idToken: toIdToken(row) };
  };
