import type { ListConfigurationKeysRequest, ListConfigurationKeysResponse } from "@chargemesh/contracts/charger/v1/configuration_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { chargerById } from "../db/charger.ts";
import { configurationKeysAfter } from "../db/configuration.ts";
import { noCharger } from "../domain/command.ts";
import { toConfigurationKey } from "../resources/configuration.ts";
import type { RpcDeps } from "./deps.ts";
import { readTextToken } from "./page-token.ts";
import { said } from "./request.ts";

export const listConfigurationKeys =
  ({ db }: RpcDeps) =>
  async (request: ListConfigurationKeysRequest): Promise<ListConfigurationKeysResponse> => {
    const { chargerId } = request;
    const size = pageSize(request.pageSize);
    const after = readTextToken(request.pageToken, /^[^\0]{1,500}$/u);
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    const found = await configurationKeysAfter(db, chargerId, after, size + 1, said(request.state));
    const { rows, nextPageToken } = toPage(found, size, ({ folded }) => [folded]);
    return { configurationKeys: rows.map(toConfigurationKey), nextPageToken };
  };
