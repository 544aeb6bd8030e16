import { jsonText } from "@chargemesh/kit/postgres";
import { sql } from "kysely";
import type { FirmwareStep, FirmwareUpdateRow, FirmwareUpdateState, NewFirmwareUpdate } from "./file-tables.ts";
import { isStorable } from "./integer.ts";
import type { Db } from "./schema.ts";
import { isLastAsked } from "./upload.ts";

const columns = [
  "id",
  "number",
  "charger_id",
  "state",
  "status",
  "steps",
  "image_id",
  "location",
  "firmware_version",
  "previous_version",
  "booted_version",
  "confirm_time",
  "retrieve_time",
  "install_time",
  "signed",
  "signature",
  "signing_certificate",
  "command_id",
  "request_id",
  "token_hash",
  "expire_time",
  "create_time",
  "update_time",
] as const;

/** What is not at its end yet. */
const OPEN: readonly FirmwareUpdateState[] = ["REQUESTED", "DOWNLOADING", "DOWNLOADED", "INSTALLING"];

export function insertFirmwareUpdate(tx: Db, update: NewFirmwareUpdate): Promise<FirmwareUpdateRow> {
  return tx.insertInto("firmware_update").values(update).returning(columns).executeTakeFirstOrThrow();
}

export function firmwareUpdateById(db: Db, chargerId: string, id: string): Promise<FirmwareUpdateRow | undefined> {
  return db.selectFrom("firmware_update").select(columns).where("id", "=", id).where("charger_id", "=", chargerId).executeTakeFirst();
}

export function firmwareUpdateByCommand(db: Db, commandId: string): Promise<FirmwareUpdateRow | undefined> {
  return db.selectFrom("firmware_update").select(columns).where("command_id", "=", commandId).executeTakeFirst();
}

/** What a token leads to: the update, and the file of its image. */
export function firmwareByToken(db: Db, tokenHash: Buffer) {
  return db
    .selectFrom("firmware_update")
    .innerJoin("firmware_image", "firmware_image.id", "firmware_update.image_id")
    .select(["firmware_update.state", "firmware_update.expire_time", "firmware_image.file_key"])
    .select(["firmware_image.size_bytes", "firmware_image.sha256"])
    .where("firmware_update.token_hash", "=", tokenHash)
    .executeTakeFirst();
}

/** Newest first, after the one of this number. */
export function firmwareUpdatesBefore(
  db: Db,
  chargerId: string,
  beforeNumber: number | undefined,
  limit: number,
): Promise<FirmwareUpdateRow[]> {
  let query = db.selectFrom("firmware_update").select(columns).where("charger_id", "=", chargerId).orderBy("number", "desc").limit(limit);
  if (beforeNumber !== undefined) query = query.where("number", "<", beforeNumber);
  return query.execute();
}

/** The update that a charger speaks of by this number; without one, its newest that was not called off. Locks it. */
export async function firmwareUpdateSpokenOf(
  tx: Db,
  chargerId: string,
  requestId: number | undefined,
): Promise<FirmwareUpdateRow | undefined> {
  if (requestId !== undefined && !isStorable(requestId)) return undefined;
  let query = tx.selectFrom("firmware_update").select(columns).where("charger_id", "=", chargerId);
  query = requestId === undefined ? query.where("state", "!=", "CANCELLED").where(isLastAsked) : query.where("request_id", "=", requestId);
  return query.orderBy("number", "desc").limit(1).forUpdate().executeTakeFirst();
}

/** What changes of an update; a step is added to those that there are. */
export interface FirmwareChange {
  state?: FirmwareUpdateState;
  status?: string;
  step?: FirmwareStep;
  booted_version?: string;
  confirm_time?: Date;
  expire_time?: Date;
}

export function changeFirmwareUpdate(tx: Db, id: string, { step, ...change }: FirmwareChange, now: Date): Promise<FirmwareUpdateRow> {
  const steps = step === undefined ? {} : { steps: sql<string>`steps || ${jsonText([step])}::jsonb` };
  return tx
    .updateTable("firmware_update")
    .set({ ...change, ...steps, update_time: now })
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Ends the updates that a charger is still asked for, but for the one of this command. */
export function cancelOtherFirmwareUpdates(tx: Db, chargerId: string, commandId: string, now: Date): Promise<FirmwareUpdateRow[]> {
  return tx
    .updateTable("firmware_update")
    .set({ state: "CANCELLED", update_time: now })
    .where("charger_id", "=", chargerId)
    .where("command_id", "!=", commandId)
    .where("state", "in", OPEN)
    .returning(columns)
    .execute();
}

/** Ends those of which nothing was heard in time. */
export function expireFirmwareUpdates(tx: Db, now: Date): Promise<FirmwareUpdateRow[]> {
  return tx
    .updateTable("firmware_update")
    .set({ state: "EXPIRED", update_time: now })
    .where("state", "in", OPEN)
    .where("expire_time", "<=", now)
    .returning(columns)
    .execute();
}
