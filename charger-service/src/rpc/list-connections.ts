import type { ListConnectionsRequest, ListConnectionsResponse } from "@chargemesh/contracts/charger/v1/connection_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { connectionsBefore } from "../db/connection.ts";
import { toConnection } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said, text } from "./request.ts";

export const listConnections =
  ({ db }: RpcDeps) =>
  async (request: ListConnectionsRequest): Promise<ListConnectionsResponse> => {
    const size = pageSize(request.pageSize);
    const filter = { chargerId: text(request.chargerId), state: said(request.state) };
    const found = await connectionsBefore(db, readNumberToken(request.pageToken), size + 1, filter);
    const { rows, nextPageToken } = toPage(found, size, ({ id }) => [id]);
    return { connections: rows.map(toConnection), nextPageToken };
  };
