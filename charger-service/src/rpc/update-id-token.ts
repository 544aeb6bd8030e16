import type { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { UpdateIdTokenRequest, UpdateIdTokenResponse } from "@chargemesh/contracts/charger/v1/id_token_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { IdTokenFacts } from "../db/id-token.ts";
import { changeIdToken } from "../domain/id-token.ts";
import { toIdToken } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { mustSay, readEtag, readTime, readUpdateMask, text } from "./request.ts";

const fields = ["type", "status", "expiry_time", "parent_id_token", "user_id"] as const;

/** Changes an id token; an expiry time, parent or user that is named and not given is taken away. */
export const updateIdToken =
  ({ db }: RpcDeps) =>
  async ({ idToken, updateMask }: UpdateIdTokenRequest): Promise<UpdateIdTokenResponse> => {
    if (idToken === undefined) throw badRequest([{ field: "id_token", description: "is required" }]);
    const change = changeOf(idToken, readUpdateMask(updateMask, fields));
    return { idToken: toIdToken(await changeIdToken(db, idToken.idToken, readEtag(idToken.etag), change)) };
  };

function changeOf(idToken: IdToken, mask: ReadonlySet<(typeof fields)[number]>): IdTokenFacts {
  const { expiryTime } = idToken;
  const change: IdTokenFacts = {};
  if (mask.has("type")) change.type = mustSay("id_token.type", idToken.type);
  if (mask.has("status")) change.status = mustSay("id_token.status", idToken.status);
  if (mask.has("expiry_time")) change.expiry_time = expiryTime === undefined ? null : readTime("id_token.expiry_time", expiryTime);
  if (mask.has("parent_id_token")) change.parent_id_token = idToken.parentIdToken;
  if (mask.has("user_id")) change.user_id = text(idToken.userId) ?? null;
  return change;
}
