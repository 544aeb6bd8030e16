import type {
  ReleaseConfigurationKeyRequest,
  ReleaseConfigurationKeyResponse,
} from "@chargemesh/contracts/charger/v1/configuration_service";
import { recordAudit } from "@chargemesh/kit/audit";
import { transact } from "@chargemesh/kit/postgres";
import { releaseKey } from "../domain/configuration.ts";
import { toConfigurationKey } from "../resources/configuration.ts";
import type { RpcDeps } from "./deps.ts";

/** Wants nothing of a key any more. */
export const releaseConfigurationKey =
  ({ db }: RpcDeps) =>
  ({ chargerId, key }: ReleaseConfigurationKeyRequest): Promise<ReleaseConfigurationKeyResponse> =>
    transact(db, async (tx) => {
      const row = await releaseKey(tx, chargerId, key);
      await recordAudit(tx, { resource: `chargers/${chargerId}`, details: { key: row.key } });
      return { configurationKey: toConfigurationKey(row) };
    });
