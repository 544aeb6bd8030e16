import { readFile } from "node:fs/promises";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { keepDoing } from "@chargemesh/kit/rounds";
import type { Db } from "./db/schema.ts";
import { makeFileUrls } from "./domain/file-url.ts";
import type { Filing } from "./domain/filing.ts";
import { type FirmwareSigner, makeFirmwareSigner } from "./domain/firmware-signature.ts";
import { sweepFirmwareUpdates } from "./domain/firmware-update.ts";
import { removeUnusedFiles } from "./domain/unused-file.ts";
import { sweepUploads } from "./domain/upload.ts";
import type { FilesConfig } from "./files-config.ts";
import { openFileStore } from "./storage/open.ts";

const SWEEP_MS = 30_000;
const HOUR_MS = 3_600_000;

/**
 * Opens the storage of files, and ends what nobody else does: uploads and updates of which nothing was heard, files that nothing names.
 * `doors` says where chargers reach us, if no setting does. Throws if the key for firmware cannot be used.
 */
export async function openFiles(
  config: FilesConfig,
  doors: Parameters<typeof makeFileUrls>[1],
  db: Db,
  clock: Clock,
  stack: Stack,
  log: Logger,
): Promise<Filing> {
  const files = await openFileStore(config.folder, config.s3, stack);
  const sweep = async (): Promise<void> => {
    await sweepUploads(db, clock.now());
    await sweepFirmwareUpdates(db, clock.now());
    await removeUnusedFiles(db, files, clock.now());
  };
  keepDoing("files", { everyMs: SWEEP_MS }, sweep, stack, log);
  return {
    files,
    fileUrls: makeFileUrls(config.publicUrl, doors, config.urlHours * HOUR_MS),
    firmwareSigner: await readSigner(config),
    uploadBytesMax: config.uploadBytesMax,
  };
}

async function readSigner({ firmwareKey, firmwareCertificate }: FilesConfig): Promise<FirmwareSigner | undefined> {
  if (firmwareKey === undefined || firmwareCertificate === undefined) return undefined;
  const [key, certificate] = await Promise.all([readFile(firmwareKey, "utf8"), readFile(firmwareCertificate, "utf8")]);
  try {
    return makeFirmwareSigner(key, certificate);
  } catch (cause) {
    throw new Error("OCPP_FIRMWARE_KEY and OCPP_FIRMWARE_CERT cannot sign firmware", { cause });
  }
}
