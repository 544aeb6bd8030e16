import type { GetApiKeyRequest, GetApiKeyResponse } from "@chargemesh/contracts/auth/v1/api_key_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { apiKeyById } from "../db/api-key.ts";
import { toApiKey } from "../resources.ts";
import { noApiKey, ownerSeenBy } from "./own-api-keys.ts";
import type { TokenDeps } from "./token-services.ts";

export const getApiKey =
  ({ db }: Pick<TokenDeps, "db">) =>
  async ({ id }: GetApiKeyRequest, { caller }: Call): Promise<GetApiKeyResponse> => {
    const row = await apiKeyById(db, id, ownerSeenBy(caller));
    if (row === undefined) throw noApiKey(id);
    return { apiKey: toApiKey(row) };
  };
