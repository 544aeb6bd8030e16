import type { DeleteFirmwareImageRequest, DeleteFirmwareImageResponse } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import { removeFirmwareImage } from "../domain/firmware-image.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteFirmwareImage =
  ({ db, clock }: RpcDeps) =>
  async ({ id }: DeleteFirmwareImageRequest): Promise<DeleteFirmwareImageResponse> => {
    await removeFirmwareImage(db, id, clock.now());
    return {};
  };
