import type { GetFirmwareUpdateRequest, GetFirmwareUpdateResponse } from "@chargemesh/contracts/charger/v1/firmware_update_service";
import { AppError } from "@chargemesh/kit/errors";
import { firmwareUpdateById } from "../db/firmware-update.ts";
import { toFirmwareUpdate } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";

export const getFirmwareUpdate =
  ({ db }: RpcDeps) =>
  async ({ chargerId, id }: GetFirmwareUpdateRequest): Promise<GetFirmwareUpdateResponse> => {
    const row = await firmwareUpdateById(db, chargerId, id);
    if (row === undefined) throw new AppError("notFound", "FIRMWARE_UPDATE_NOT_FOUND", `No firmware update ${id} at charger ${chargerId}.`);
    return { firmwareUpdate: toFirmwareUpdate(row) };
  };
