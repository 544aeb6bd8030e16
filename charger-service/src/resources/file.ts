import type { FirmwareImage } from "@chargemesh/contracts/charger/v1/firmware_image";
import type { FirmwareUpdate } from "@chargemesh/contracts/charger/v1/firmware_update";
import type { Upload } from "@chargemesh/contracts/charger/v1/upload";
import type { FirmwareImageRow, FirmwareUpdateRow, UploadRow } from "../db/file-tables.ts";

export function toUpload(row: UploadRow): Upload {
  return {
    id: row.id,
    chargerId: row.charger_id,
    kind: row.kind,
    state: row.state,
    status: row.status,
    commandId: row.command_id,
    requestId: row.request_id,
    fileName: row.file_name,
    sizeBytes: row.size_bytes ?? 0,
    sha256: row.sha256?.toString("hex") ?? "",
    logStartTime: row.log_start_time ?? undefined,
    logStopTime: row.log_stop_time ?? undefined,
    expireTime: row.expire_time,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}

/** As it is at the time `now`. Where its file comes in is told once, by whoever makes it. */
export function toFirmwareImage(row: FirmwareImageRow, now: Date): FirmwareImage {
  const unfilled = row.expire_time > now ? "REQUESTED" : "EXPIRED";
  return {
    id: row.id,
    firmwareVersion: row.firmware_version,
    description: row.description,
    state: row.file_key === null ? unfilled : "UPLOADED",
    uploadUrl: "",
    expireTime: row.expire_time,
    fileName: row.file_name,
    sizeBytes: row.size_bytes ?? 0,
    sha256: row.sha256?.toString("hex") ?? "",
    createTime: row.create_time,
  };
}

export function toFirmwareUpdate(row: FirmwareUpdateRow): FirmwareUpdate {
  return {
    id: row.id,
    chargerId: row.charger_id,
    state: row.state,
    status: row.status,
    steps: row.steps.map(({ status, time }) => ({ status, time: new Date(time) })),
    firmwareImageId: row.image_id ?? "",
    location: row.location,
    firmwareVersion: row.firmware_version,
    previousFirmwareVersion: row.previous_version,
    bootedFirmwareVersion: row.booted_version,
    confirmTime: row.confirm_time ?? undefined,
    retrieveTime: row.retrieve_time,
    installTime: row.install_time ?? undefined,
    signed: row.signed,
    signature: row.signature,
    signingCertificate: row.signing_certificate,
    commandId: row.command_id,
    requestId: row.request_id,
    expireTime: row.expire_time,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}
