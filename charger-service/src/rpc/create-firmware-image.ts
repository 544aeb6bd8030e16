import type { CreateFirmwareImageRequest, CreateFirmwareImageResponse } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import { addFirmwareImage } from "../domain/firmware-image.ts";
import { toFirmwareImage } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";

/** Makes an image, and says where its file is to be put. */
export const createFirmwareImage =
  (deps: RpcDeps) =>
  async ({ firmwareImage }: CreateFirmwareImageRequest): Promise<CreateFirmwareImageResponse> => {
    const { firmwareVersion = "", description = "" } = firmwareImage ?? {};
    const { image, uploadUrl } = await addFirmwareImage(deps, { firmwareVersion, description });
    return { firmwareImage: { ...toFirmwareImage(image, deps.clock.now()), uploadUrl } };
  };
