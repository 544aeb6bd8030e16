import type { ListFirmwareImagesRequest, ListFirmwareImagesResponse } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { firmwareImagesBefore } from "../db/firmware-image.ts";
import { toFirmwareImage } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";

export const listFirmwareImages =
  ({ db, clock }: RpcDeps) =>
  async (request: ListFirmwareImagesRequest): Promise<ListFirmwareImagesResponse> => {
    const size = pageSize(request.pageSize);
    const found = await firmwareImagesBefore(db, readNumberToken(request.pageToken), size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ number }) => [number]);
    const now = clock.now();
    return { firmwareImages: rows.map((row) => toFirmwareImage(row, now)), nextPageToken };
  };
