import type { ListChargersRequest, ListChargersResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { chargersAfter, connectorsOf } from "../db/charger.ts";
import { toCharger, withoutCredential } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readTextToken } from "./page-token.ts";

export const listChargers =
  ({ db }: RpcDeps) =>
  async (request: ListChargersRequest, { caller }: Call): Promise<ListChargersResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTextToken(request.pageToken, /^[!-~]+$/);
    const { rows, nextPageToken } = toPage(await chargersAfter(db, after, size + 1, request.connected), size, ({ id }) => [id]);
    const connectors = Map.groupBy(
      await connectorsOf(
        db,
        rows.map(({ id }) => id),
      ),
      ({ charger_id }) => charger_id,
    );
    const chargers = rows.map((row) => toCharger(row, connectors.get(row.id) ?? []));
    return { chargers: limitedTo(caller) === undefined ? chargers : chargers.map(withoutCredential), nextPageToken };
  };
