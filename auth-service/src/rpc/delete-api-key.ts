import type { DeleteApiKeyRequest, DeleteApiKeyResponse } from "@chargemesh/contracts/auth/v1/api_key_service";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Call } from "@chargemesh/kit/grpc-server";
import { transact } from "@chargemesh/kit/postgres";
import { deleteApiKey as remove } from "../db/api-key.ts";
import { noApiKey, ownerSeenBy } from "./own-api-keys.ts";
import type { TokenDeps } from "./token-services.ts";

export const deleteApiKey =
  ({ db }: Pick<TokenDeps, "db">) =>
  async ({ id }: DeleteApiKeyRequest, { caller }: Call): Promise<DeleteApiKeyResponse> => {
    await transact(db, async (tx) => {
      if (!(await remove(tx, id, ownerSeenBy(caller)))) throw noApiKey(id);
      await recordAudit(tx, { resource: `apiKeys/${id}` });
    });
    return {};
  };
