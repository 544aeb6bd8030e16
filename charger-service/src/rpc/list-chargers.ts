import type { ListChargersRequest, ListChargersResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { chargerViewsAfter } from "../db/charger.ts";
import { toCharger, withoutCredential } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readTextToken } from "./page-token.ts";

export const listChargers =
  ({ db }: RpcDeps) =>
  async (request: ListChargersRequest, { caller }: Call): Promise<ListChargersResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTextToken(request.pageToken, /^[!-~]+$/);
    const views = await chargerViewsAfter(db, after, size + 1, request.connected);
    const { rows, nextPageToken } = toPage(views, size, ({ charger }) => [charger.id]);
    const chargers = rows.map(({ charger, connectors }) => toCharger(charger, connectors));
    return { chargers: limitedTo(caller) === undefined ? chargers : chargers.map(withoutCredential), nextPageToken };
  };
