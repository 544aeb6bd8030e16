import { createHash, randomUUID } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { transact, violates } from "@chargemesh/kit/postgres";
import type { FirmwareImageRow, UploadRow } from "../db/file-tables.ts";
import { fillFirmwareImage, firmwareImageByToken } from "../db/firmware-image.ts";
import type { Db } from "../db/schema.ts";
import { insertStoredFile, releaseStoredFile } from "../db/stored-file.ts";
import { changeUpload, fillUpload, uploadByToken, type WholeFile } from "../db/upload.ts";
import { uploadUpdated } from "../events.ts";
import { safeFileName } from "./file-name.ts";
import { FileRefusal } from "./file-refusal.ts";
import { type FileStore, stored } from "./file-store.ts";
import { hashFileToken } from "./file-url.ts";

/** How long it may take to upload a file, in ms: 100 MB at 28 kB/s. */
export const UPLOAD_MS = 3_600_000;

export interface FileDeps {
  db: Db;
  files: FileStore;
  clock: Clock;
  /** The largest file, in bytes. */
  uploadBytesMax: number;
}

/** What somebody wants to upload: the name they give it, which may be empty, and its size if they say so. */
export interface Incoming {
  fileName: string;
  sizeBytes: number | undefined;
  content: AsyncIterable<Buffer>;
  remoteAddress: string;
}

/** What a URL for an upload was made for. */
type Place = { kind: "upload"; row: UploadRow } | { kind: "firmwareImage"; row: FirmwareImageRow };

/**
 * Takes the file for which a URL was made: once, whole, in time and not too large; else throws FileRefusal and keeps nothing. One that breaks
 * off may be sent again. It is read by `open`, and only if the URL is good.
 */
export async function receiveFile(deps: FileDeps, token: string, open: () => Promise<Incoming>): Promise<void> {
  const { db, files, clock, uploadBytesMax } = deps;
  const place = await openPlace(db, token, clock.now());
  const incoming = await open();
  if ((incoming.sizeBytes ?? 0) > uploadBytesMax) throw new FileRefusal("FILE_TOO_LARGE");
  if (place.kind === "upload") await markUploading(db, place.row, clock.now());
  const key = randomUUID();
  await insertStoredFile(db, key, new Date(clock.now().getTime() + 2 * UPLOAD_MS));
  const hash = createHash("sha256");
  let size = 0;
  const measured = async function* (): AsyncGenerator<Buffer> {
    for await (const part of incoming.content) {
      size += part.length;
      if (size > uploadBytesMax) throw new FileRefusal("FILE_TOO_LARGE");
      hash.update(part);
      yield part;
    }
  };
  try {
    await stored(files.put(key, measured()));
    const name = safeFileName(
      incoming.fileName,
      place.row.file_name || `${place.kind === "upload" ? place.row.kind.toLowerCase() : "firmware"}.bin`,
    );
    await fill(deps, place, { file_key: key, file_name: name, size_bytes: size, sha256: hash.digest() }, incoming.remoteAddress);
  } catch (err) {
    await releaseStoredFile(db, key, clock.now());
    throw err;
  }
}

/** What the URL was made for, if it is still open. */
async function openPlace(db: Db, token: string, now: Date): Promise<Place> {
  const hash = hashFileToken(token);
  const upload = await uploadByToken(db, hash);
  const image = upload === undefined ? await firmwareImageByToken(db, hash) : undefined;
  const row = upload ?? image;
  if (row === undefined) throw new FileRefusal("FILE_URL_UNKNOWN");
  if (row.file_key !== null) throw new FileRefusal("FILE_UPLOADED");
  const isOver = upload !== undefined && (upload.state === "EXPIRED" || upload.state === "CANCELLED");
  if (isOver || row.expire_time <= now) throw new FileRefusal("FILE_URL_EXPIRED");
  return upload === undefined ? { kind: "firmwareImage", row: row as FirmwareImageRow } : { kind: "upload", row: upload };
}

function markUploading(db: Db, { id }: UploadRow, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    const upload = await changeUpload(tx, id, ["REQUESTED", "FAILED"], { state: "UPLOADING" }, now);
    if (upload !== undefined) await uploadUpdated(tx, upload);
  });
}

/** Puts a file that is whole in its place. Throws FileRefusal if another one was faster, or the place is gone. */
async function fill({ db, clock }: FileDeps, place: Place, file: WholeFile, remoteAddress: string): Promise<void> {
  const { kind, row } = place;
  const details = { fileName: file.file_name, sizeBytes: String(file.size_bytes) };
  const filled = await transact(db, async (tx) => {
    if (kind === "firmwareImage") {
      const image = await fillFirmwareImage(tx, row.id, file);
      const record = { resource: `firmwareImages/${row.id}`, actionByItself: "charger-service/ReceiveFile", details, remoteAddress };
      if (image !== undefined) await recordAudit(tx, record);
      return image;
    }
    const upload = await fillUpload(tx, row.id, file, clock.now());
    if (upload === undefined) return undefined;
    await uploadUpdated(tx, upload);
    const actor = { kind: "CHARGER", id: row.charger_id } as const;
    await recordAudit(tx, { resource: `uploads/${row.id}`, actionByItself: "charger-service/ReceiveFile", details, remoteAddress, actor });
    return upload;
  }).catch((err: unknown) => {
    // It took so long that what came was thrown away.
    throw violates(err, `${kind === "upload" ? "upload" : "firmware_image"}_file_key_fkey`) ? new FileRefusal("FILE_URL_EXPIRED") : err;
  });
  if (filled === undefined) throw new FileRefusal("FILE_UPLOADED");
}
