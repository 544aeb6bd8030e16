import type { CreateApiKeyRequest, CreateApiKeyResponse } from "@chargemesh/contracts/auth/v1/api_key_service";
import { User_Role } from "@chargemesh/contracts/auth/v1/user";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { createApiKey as create } from "../domain/api-key.ts";
import { toApiKey } from "../resources.ts";
import { userOf } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const createApiKey =
  (deps: TokenDeps) =>
  async ({ apiKey }: CreateApiKeyRequest, { caller }: Call): Promise<CreateApiKeyResponse> => {
    if (apiKey === undefined || apiKey.role === User_Role.ROLE_UNSPECIFIED || apiKey.role === User_Role.UNRECOGNIZED) {
      throw badRequest([{ field: "api_key.role", description: "is required" }]);
    }
    const { displayName, role, scopes, chargerIds, expireTime } = apiKey;
    const { row, secret } = await create(deps, userOf(caller), { displayName, role, scopes, chargerIds, expireTime });
    return { apiKey: toApiKey(row), secret };
  };
