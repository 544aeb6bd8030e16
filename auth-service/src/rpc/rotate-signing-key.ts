import type { RotateSigningKeyRequest, RotateSigningKeyResponse } from "@chargemesh/contracts/auth/v1/signing_key_service";
import type { SigningKeys } from "../domain/signing-keys.ts";

export const rotateSigningKey =
  (keys: SigningKeys) =>
  async (_request: RotateSigningKeyRequest): Promise<RotateSigningKeyResponse> =>
    keys.rotate();
