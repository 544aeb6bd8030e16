import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import type { UploadRow, UploadState } from "../db/file-tables.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { releaseStoredFile } from "../db/stored-file.ts";
import { toColumn } from "../db/text.ts";
import { cancelOtherLogs, changeUpload, deleteUpload, expireUploads, uploadByCommand, uploadSpokenOf } from "../db/upload.ts";
import { uploadUpdated } from "../events.ts";
import { effectOf } from "./command-effect.ts";
import { safeFileName } from "./file-name.ts";
import { noteStatusReport } from "./status-report.ts";

/** A command has ended: if it asked for a file and the charger plainly does not send it, nobody waits for that any more. */
export async function settleUpload(tx: Db, command: CommandRow): Promise<void> {
  if (!["REFUSED", "NONE"].includes(effectOf(command))) return;
  const upload = await uploadByCommand(tx, command.id);
  if (upload === undefined) return;
  const now = command.end_time ?? upload.update_time;
  const status = command.status || command.error_code;
  await tell(tx, await changeUpload(tx, upload.id, ["REQUESTED", "UPLOADING"], { state: "FAILED", status, expire_time: now }, now));
}

/** The charger has said how the file that it was asked for by this command will be called; undefined if it has none to send. */
export async function announceUpload(tx: Db, command: CommandRow, fileName: string | undefined): Promise<void> {
  const upload = await uploadByCommand(tx, command.id);
  if (upload === undefined) return;
  const now = command.end_time ?? upload.update_time;
  const change = fileName === undefined ? ({ state: "FAILED", status: "NoFile" } as const) : { file_name: safeFileName(fileName, "") };
  await tell(tx, await changeUpload(tx, upload.id, ["REQUESTED", "UPLOADING"], change, now));
}

/** A charger has given up its other logs for the one of this command. */
export async function replaceLogs(tx: Db, command: CommandRow): Promise<void> {
  const cancelled = await cancelOtherLogs(tx, command.charger_id, command.id, command.end_time ?? command.create_time);
  for (const upload of cancelled) await uploadUpdated(tx, upload);
}

/** What a charger may say of an upload; that it has succeeded is known by the file. */
export type UploadProgress = Extract<UploadState, "UPLOADING" | "FAILED"> | undefined;

/** A charger says how its upload of this number goes; without a number it is its newest diagnostics. Of one that we do not know is only told. */
export function noteUploadStatus(
  db: Db,
  chargerId: string,
  requestId: number | undefined,
  status: string,
  progress: UploadProgress,
  now: Date,
): Promise<void> {
  return transact(db, async (tx) => {
    const upload = await uploadSpokenOf(tx, chargerId, requestId);
    if (upload === undefined) return noteStatusReport(tx, chargerId, "diagnostics", status, now);
    const isOpen = ["REQUESTED", "UPLOADING", "FAILED"].includes(upload.state);
    const state = isOpen && progress !== undefined ? progress : upload.state;
    if (state === upload.state && status === upload.status) return;
    await tell(tx, await changeUpload(tx, upload.id, [upload.state], { state, status: toColumn(status) }, now));
  });
}

/** Ends the uploads that did not come in time. */
export function sweepUploads(db: Db, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    for (const upload of await expireUploads(tx, now)) await uploadUpdated(tx, upload);
  });
}

/** Forgets an upload and its file. NOT_FOUND if there is none. */
export function removeUpload(db: Db, id: string, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    const upload = await deleteUpload(tx, id);
    if (upload === undefined) throw noUpload(id);
    if (upload.file_key !== null) await releaseStoredFile(tx, upload.file_key, now);
    await recordAudit(tx, { resource: `uploads/${id}`, details: { charger: upload.charger_id, kind: upload.kind } });
  });
}

export function noUpload(id: string): AppError {
  return new AppError("notFound", "UPLOAD_NOT_FOUND", `No upload ${id}.`);
}

async function tell(tx: Db, changed: UploadRow | undefined): Promise<void> {
  if (changed !== undefined) await uploadUpdated(tx, changed);
}
