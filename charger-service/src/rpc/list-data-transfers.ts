import type { ListDataTransfersRequest, ListDataTransfersResponse } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { transfersBefore } from "../db/data-transfer.ts";
import { toDataTransfer } from "../resources/data-transfer.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";

export const listDataTransfers =
  ({ db }: RpcDeps) =>
  async (request: ListDataTransfersRequest): Promise<ListDataTransfersResponse> => {
    const size = pageSize(request.pageSize);
    const found = await transfersBefore(db, request.chargerId, readNumberToken(request.pageToken), size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ id }) => [id]);
    return { dataTransfers: rows.map(toDataTransfer), nextPageToken };
  };
