import { randomUUID } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import type { FirmwareImageRow } from "../db/file-tables.ts";
import { deleteFirmwareImage, insertFirmwareImage, isFirmwareImageInUse } from "../db/firmware-image.ts";
import type { Db } from "../db/schema.ts";
import { releaseStoredFile } from "../db/stored-file.ts";
import { type FileUrls, makeUploadUrl, shownUrl } from "./file-url.ts";

interface ImageDeps {
  db: Db;
  clock: Clock;
  fileUrls: FileUrls;
}

/** Makes an image, and the URL at which its file comes in. FAILED_PRECONDITION if nobody knows at which address. */
export function addFirmwareImage(
  { db, clock, fileUrls }: ImageDeps,
  image: { firmwareVersion: string; description: string },
): Promise<{ image: FirmwareImageRow; uploadUrl: string }> {
  const url = makeUploadUrl(fileUrls, false);
  return transact(db, async (tx) => {
    const row = await insertFirmwareImage(tx, {
      id: randomUUID(),
      firmware_version: image.firmwareVersion,
      description: image.description,
      token_hash: url.hash,
      expire_time: new Date(clock.now().getTime() + fileUrls.lifeMs),
    });
    await recordAudit(tx, { resource: `firmwareImages/${row.id}`, details: { firmwareVersion: row.firmware_version } });
    return { image: row, uploadUrl: shownUrl(url) };
  });
}

/** Forgets an image and its file. NOT_FOUND if there is none, FAILED_PRECONDITION while a charger may still fetch it. */
export function removeFirmwareImage(db: Db, id: string, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    if (await isFirmwareImageInUse(tx, id, now)) {
      throw new AppError("failedPrecondition", "FIRMWARE_IMAGE_IN_USE", `A charger may still fetch firmware image ${id}.`);
    }
    const image = await deleteFirmwareImage(tx, id);
    if (image === undefined) throw noFirmwareImage(id);
    if (image.file_key !== null) await releaseStoredFile(tx, image.file_key, now);
    await recordAudit(tx, { resource: `firmwareImages/${id}`, details: { firmwareVersion: image.firmware_version } });
  });
}

export function noFirmwareImage(id: string): AppError {
  return new AppError("notFound", "FIRMWARE_IMAGE_NOT_FOUND", `No firmware image ${id}.`);
}
