import type { ListFirmwareUpdatesRequest, ListFirmwareUpdatesResponse } from "@chargemesh/contracts/charger/v1/firmware_update_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { firmwareUpdatesBefore } from "../db/firmware-update.ts";
import { toFirmwareUpdate } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";

export const listFirmwareUpdates =
  ({ db }: RpcDeps) =>
  async (request: ListFirmwareUpdatesRequest): Promise<ListFirmwareUpdatesResponse> => {
    const size = pageSize(request.pageSize);
    const found = await firmwareUpdatesBefore(db, request.chargerId, readNumberToken(request.pageToken), size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ number }) => [number]);
    return { firmwareUpdates: rows.map(toFirmwareUpdate), nextPageToken };
  };
