import { FirmwareImageServiceService } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import { FirmwareUpdateServiceService } from "@chargemesh/contracts/charger/v1/firmware_update_service";
import { UploadServiceService } from "@chargemesh/contracts/charger/v1/upload_service";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import { createFirmwareImage } from "./create-firmware-image.ts";
import { createFirmwareUpdate } from "./create-firmware-update.ts";
import { deleteFirmwareImage } from "./delete-firmware-image.ts";
import { deleteUpload } from "./delete-upload.ts";
import type { RpcDeps } from "./deps.ts";
import { downloadUpload } from "./download-upload.ts";
import { getDiagnostics } from "./get-diagnostics.ts";
import { getFirmwareImage } from "./get-firmware-image.ts";
import { getFirmwareUpdate } from "./get-firmware-update.ts";
import { getLog } from "./get-log.ts";
import { getUpload } from "./get-upload.ts";
import { listFirmwareImages } from "./list-firmware-images.ts";
import { listFirmwareUpdates } from "./list-firmware-updates.ts";
import { listUploads } from "./list-uploads.ts";

/** What answers for the files that chargers upload and the firmware that they fetch. */
export function fileRegistrations(deps: RpcDeps): Registration[] {
  return [
    serve(UploadServiceService, {
      getDiagnostics: getDiagnostics(deps),
      getLog: getLog(deps),
      getUpload: getUpload(deps),
      listUploads: listUploads(deps),
      downloadUpload: downloadUpload(deps),
      deleteUpload: deleteUpload(deps),
    }),
    serve(FirmwareImageServiceService, {
      createFirmwareImage: createFirmwareImage(deps),
      getFirmwareImage: getFirmwareImage(deps),
      listFirmwareImages: listFirmwareImages(deps),
      deleteFirmwareImage: deleteFirmwareImage(deps),
    }),
    serve(FirmwareUpdateServiceService, {
      createFirmwareUpdate: createFirmwareUpdate(deps),
      getFirmwareUpdate: getFirmwareUpdate(deps),
      listFirmwareUpdates: listFirmwareUpdates(deps),
    }),
  ];
}
