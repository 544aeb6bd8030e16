import { randomUUID } from "node:crypto";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import { chargerById } from "../db/charger.ts";
import type { FirmwareImageRow, FirmwareUpdateRow } from "../db/file-tables.ts";
import { firmwareImageById, signFirmwareImage } from "../db/firmware-image.ts";
import { firmwareUpdateByCommand, insertFirmwareUpdate } from "../db/firmware-update.ts";
import type { Db } from "../db/schema.ts";
import { firmwareUpdateUpdated } from "../events.ts";
import { type Asking, type Commander, noCharger } from "./command.ts";
import { type FileStore, stored } from "./file-store.ts";
import { comesByTls, type FileUrls, hideCredentials, makeFirmwareUrl } from "./file-url.ts";
import { noFirmwareImage } from "./firmware-image.ts";
import type { FirmwareSigner } from "./firmware-signature.ts";
import { makeRequestId, withoutRow } from "./upload-request.ts";

/** What a charger is to install, and how. */
export interface WantedFirmware {
  /** The image of ours, or the URL of another. */
  source: { imageId: string } | { location: string };
  /** Undefined: that of the image, if it has one. */
  firmwareVersion: string | undefined;
  retrieveTime: Date | undefined;
  installTime: Date | undefined;
  /** 0 leaves it to the charger. */
  retries: number;
  retryIntervalSeconds: number;
  /** Undefined: it is not to check any. "ours": one of our making. */
  signed: { signature: string; certificate: string } | "ours" | undefined;
}

export interface FirmwareDeps {
  db: Db;
  commander: Commander;
  clock: Clock;
  files: FileStore;
  fileUrls: FileUrls;
  /** Undefined if there is no key. */
  firmwareSigner: FirmwareSigner | undefined;
}

/**
 * Asks a charger to fetch and install firmware. NOT_FOUND if there is no such charger or image, FAILED_PRECONDITION if the image has no file,
 * cannot be signed, or there is no URL to give to the charger.
 */
export async function askForFirmwareUpdate(deps: FirmwareDeps, asking: Asking, wanted: WantedFirmware): Promise<FirmwareUpdateRow> {
  const { db, commander, clock, fileUrls } = deps;
  const { chargerId } = asking;
  const charger = await chargerById(db, chargerId);
  if (charger === undefined) throw noCharger(chargerId);
  const image = "imageId" in wanted.source ? await usableImage(db, wanted.source.imageId) : undefined;
  const signed = wanted.signed === "ours" ? await signatureOf(deps, image) : wanted.signed;
  const url = image === undefined ? undefined : makeFirmwareUrl(fileUrls, comesByTls(charger), image.file_name);
  const elsewhere = "location" in wanted.source ? hideCredentials(wanted.source.location) : undefined;
  const { location, secret } = url ?? elsewhere ?? { location: "" };
  const retrieveTime = wanted.retrieveTime ?? clock.now();
  const requestId = makeRequestId();
  const begin = Math.max(retrieveTime.getTime(), wanted.installTime?.getTime() ?? 0, clock.now().getTime() + asking.ttlSeconds * 1_000);
  const { installTime, retries, retryIntervalSeconds } = wanted;
  const how = { requestId, retrieveTime, installTime, retries, retryIntervalSeconds, signed };
  const command = await commander.ask({
    ...asking,
    question: { kind: "updateFirmware", ...how, location, secret },
    field: "location",
    keep: async (tx, { id }) => {
      const update = await insertFirmwareUpdate(tx, {
        id: randomUUID(),
        charger_id: chargerId,
        image_id: image?.id ?? null,
        location: elsewhere?.location ?? "",
        firmware_version: wanted.firmwareVersion ?? image?.firmware_version ?? "",
        previous_version: charger.firmware_version,
        retrieve_time: retrieveTime,
        install_time: wanted.installTime ?? null,
        signed: signed !== undefined,
        signature: signed?.signature ?? "",
        signing_certificate: signed?.certificate ?? "",
        command_id: id,
        request_id: requestId,
        token_hash: url?.hash ?? null,
        expire_time: new Date(begin + fileUrls.lifeMs),
      });
      await firmwareUpdateUpdated(tx, update);
    },
  });
  const update = await firmwareUpdateByCommand(db, command.id);
  if (update === undefined) throw withoutRow(asking);
  return update;
}

async function usableImage(db: Db, id: string): Promise<FirmwareImageRow> {
  const image = await firmwareImageById(db, id);
  if (image === undefined) throw noFirmwareImage(id);
  if (image.file_key === null) {
    throw new AppError("failedPrecondition", "FIRMWARE_IMAGE_EMPTY", `The file of firmware image ${id} has not been uploaded.`);
  }
  return image;
}

/** The signature of an image with our key, which is made once. */
async function signatureOf({ db, files, firmwareSigner }: FirmwareDeps, image: FirmwareImageRow | undefined) {
  if (image === undefined || image.file_key === null) {
    throw badRequest([{ field: "signature", description: "is required of firmware that is not kept here" }]);
  }
  if (firmwareSigner === undefined) {
    const message = "There is no key to sign firmware with (OCPP_FIRMWARE_KEY); give the signature of its maker.";
    throw new AppError("failedPrecondition", "FIRMWARE_KEY_MISSING", message);
  }
  const { certificate } = firmwareSigner;
  if (image.signing_certificate === certificate) return { signature: image.signature, certificate };
  const signature = await stored(files.open(image.file_key).then(firmwareSigner.sign));
  await signFirmwareImage(db, image.id, signature, certificate);
  return { signature, certificate };
}
