import { sql } from "kysely";
import type { NewUpload, UploadKind, UploadRow, UploadState } from "./file-tables.ts";
import { isStorable } from "./integer.ts";
import type { Db } from "./schema.ts";

const columns = [
  "id",
  "number",
  "charger_id",
  "kind",
  "state",
  "status",
  "command_id",
  "request_id",
  "log_start_time",
  "log_stop_time",
  "token_hash",
  "expire_time",
  "create_time",
  "update_time",
  "file_key",
  "file_name",
  "size_bytes",
  "sha256",
] as const;

/** What is not at its end yet. */
const OPEN: readonly UploadState[] = ["REQUESTED", "UPLOADING"];

const wasAsked = (command: string) =>
  sql<boolean>`${sql.ref(`${command}.send_time`)} is not null and
    (${sql.ref(`${command}.state`)} in ('SENT', 'ACCEPTED', 'TIMED_OUT') or ${sql.ref(`${command}.error_code`)} = 'CONNECTION_LOST')`;

/**
 * Of a row with a command_id: whether the charger was asked for it, and then for nothing else of the kind, so that it can only mean this when it
 * does not say what it speaks of.
 */
export const isLastAsked = sql<boolean>`not exists (
  select from command own where own.id = command_id and not (${wasAsked("own")} and not exists (
    select from command newer
    where newer.charger_id = own.charger_id and newer.action = own.action and newer.number > own.number and ${wasAsked("newer")})))`;

export function insertUpload(tx: Db, upload: NewUpload): Promise<UploadRow> {
  return tx.insertInto("upload").values(upload).returning(columns).executeTakeFirstOrThrow();
}

export function uploadById(db: Db, id: string): Promise<UploadRow | undefined> {
  return db.selectFrom("upload").select(columns).where("id", "=", id).executeTakeFirst();
}

export function uploadByCommand(db: Db, commandId: string): Promise<UploadRow | undefined> {
  return db.selectFrom("upload").select(columns).where("command_id", "=", commandId).executeTakeFirst();
}

export function uploadByToken(db: Db, tokenHash: Buffer): Promise<UploadRow | undefined> {
  return db.selectFrom("upload").select(columns).where("token_hash", "=", tokenHash).executeTakeFirst();
}

/** Newest first, after the one of this number. */
export function uploadsBefore(
  db: Db,
  beforeNumber: number | undefined,
  limit: number,
  filter: { chargerId: string | undefined; kind: UploadKind | undefined; state: UploadState | undefined },
): Promise<UploadRow[]> {
  let query = db.selectFrom("upload").select(columns).orderBy("number", "desc").limit(limit);
  if (beforeNumber !== undefined) query = query.where("number", "<", beforeNumber);
  if (filter.chargerId !== undefined) query = query.where("charger_id", "=", filter.chargerId);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  return query.execute();
}

/** The upload that a charger speaks of by this number; without one, its newest diagnostics. Locks it. */
export async function uploadSpokenOf(tx: Db, chargerId: string, requestId: number | undefined): Promise<UploadRow | undefined> {
  if (requestId !== undefined && !isStorable(requestId)) return undefined;
  let query = tx.selectFrom("upload").select(columns).where("charger_id", "=", chargerId);
  query = requestId === undefined ? query.where("kind", "=", "DIAGNOSTICS").where(isLastAsked) : query.where("request_id", "=", requestId);
  return query.orderBy("number", "desc").limit(1).forUpdate().executeTakeFirst();
}

/** Undefined if it is not in one of the states `from`. */
export function changeUpload(
  tx: Db,
  id: string,
  from: readonly UploadState[],
  change: { state?: UploadState; status?: string; file_name?: string; expire_time?: Date },
  now: Date,
): Promise<UploadRow | undefined> {
  return tx
    .updateTable("upload")
    .set({ ...change, update_time: now })
    .where("id", "=", id)
    .where("state", "in", from)
    .returning(columns)
    .executeTakeFirst();
}

/** What is known of a file that is whole. */
export interface WholeFile {
  file_key: string;
  file_name: string;
  size_bytes: number;
  sha256: Buffer;
}

/** Gives an upload its file. Undefined if it has one, or wants none any more. */
export function fillUpload(tx: Db, id: string, file: WholeFile, now: Date): Promise<UploadRow | undefined> {
  return tx
    .updateTable("upload")
    .set({ ...file, state: "UPLOADED", update_time: now })
    .where("id", "=", id)
    .where("state", "in", ["REQUESTED", "UPLOADING", "FAILED"])
    .returning(columns)
    .executeTakeFirst();
}

/** Ends the logs that a charger is still asked for, but for the one of this command. */
export function cancelOtherLogs(tx: Db, chargerId: string, commandId: string, now: Date): Promise<UploadRow[]> {
  return tx
    .updateTable("upload")
    .set({ state: "CANCELLED", expire_time: sql<Date>`least(expire_time, ${now})`, update_time: now })
    .where("charger_id", "=", chargerId)
    .where("kind", "in", ["DIAGNOSTICS_LOG", "SECURITY_LOG"])
    .where("command_id", "!=", commandId)
    .where("state", "in", OPEN)
    .returning(columns)
    .execute();
}

/** Ends what did not come in time. */
export function expireUploads(tx: Db, now: Date): Promise<UploadRow[]> {
  return tx
    .updateTable("upload")
    .set({ state: "EXPIRED", update_time: now })
    .where("state", "in", OPEN)
    .where("expire_time", "<=", now)
    .returning(columns)
    .execute();
}

export function deleteUpload(tx: Db, id: string): Promise<UploadRow | undefined> {
  return tx.deleteFrom("upload").where("id", "=", id).returning(columns).executeTakeFirst();
}
