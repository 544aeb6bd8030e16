import type { GetConfigurationKeyRequest, GetConfigurationKeyResponse } from "@chargemesh/contracts/charger/v1/configuration_service";
import { existingKey } from "../domain/configuration.ts";
import { toConfigurationKey } from "../resources/configuration.ts";
import type { RpcDeps } from "./deps.ts";

export const getConfigurationKey =
  ({ db }: RpcDeps) =>
  async ({ chargerId, key }: GetConfigurationKeyRequest): Promise<GetConfigurationKeyResponse> => ({
    configurationKey: toConfigurationKey(await existingKey(db, chargerId, key)),
  });
