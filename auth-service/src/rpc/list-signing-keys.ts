import type { ListSigningKeysRequest, ListSigningKeysResponse } from "@chargemesh/contracts/auth/v1/signing_key_service";
import type { SigningKeys } from "../domain/signing-keys.ts";

export const listSigningKeys =
  (keys: SigningKeys) =>
  async (_request: ListSigningKeysRequest): Promise<ListSigningKeysResponse> =>
    keys.published();
