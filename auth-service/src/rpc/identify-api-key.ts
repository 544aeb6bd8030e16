import type { IdentifyApiKeyRequest, IdentifyApiKeyResponse } from "@chargemesh/contracts/auth/v1/identity_service";
import { identifyApiKey as identify } from "../domain/api-key.ts";
import { toIdentifiedKey } from "../resources.ts";
import type { TokenDeps } from "./token-services.ts";

export const identifyApiKey =
  (deps: TokenDeps) =>
  async ({ secretHash }: IdentifyApiKeyRequest): Promise<IdentifyApiKeyResponse> => {
    const identity = await identify(deps, Buffer.from(secretHash));
    return identity === undefined ? { apiKey: undefined, username: "" } : toIdentifiedKey(identity);
  };
