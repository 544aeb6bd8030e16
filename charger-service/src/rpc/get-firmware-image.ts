import type { GetFirmwareImageRequest, GetFirmwareImageResponse } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import { firmwareImageById } from "../db/firmware-image.ts";
import { noFirmwareImage } from "../domain/firmware-image.ts";
import { toFirmwareImage } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";

export const getFirmwareImage =
  ({ db, clock }: RpcDeps) =>
  async ({ id }: GetFirmwareImageRequest): Promise<GetFirmwareImageResponse> => {
    const row = await firmwareImageById(db, id);
    if (row === undefined) throw noFirmwareImage(id);
    return { firmwareImage: toFirmwareImage(row, clock.now()) };
  };
