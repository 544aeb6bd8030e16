import type { ListChargersRequest, ListChargersResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { chargersAfter, connectorsOf } from "../db/charger.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readTextToken } from "./page-token.ts";

export const listChargers =
  ({ db }: RpcDeps) =>
  async (request: ListChargersRequest): Promise<ListChargersResponse> => {
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
    return { chargers: rows.map((row) => toCharger(row, connectors.get(row.id) ?? [])), nextPageToken };
  };
