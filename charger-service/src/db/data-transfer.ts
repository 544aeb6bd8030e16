import { type Insertable, sql } from "kysely";
import type { DataTransferRow, VendorAnswer, VendorMessageRow } from "./configuration-tables.ts";
import type { Database, Db } from "./schema.ts";

const transferColumns = [
  "id",
  "charger_id",
  "direction",
  "vendor_id",
  "message_id",
  "data",
  "status",
  "answer_data",
  "command_id",
  "create_time",
] as const;

const messageColumns = ["id", "vendor_id", "message_id", "answer_status", "answer_data", "create_time", "update_time"] as const;

/** Keeps what was said. */
export function insertTransfer(tx: Db, row: Insertable<Database["data_transfer"]>): Promise<DataTransferRow> {
  return tx.insertInto("data_transfer").values(row).returning(transferColumns).executeTakeFirstOrThrow();
}

/** Newest first, after the one of this id. */
export function transfersBefore(db: Db, chargerId: string, beforeId: number | undefined, limit: number): Promise<DataTransferRow[]> {
  const query = db
    .selectFrom("data_transfer")
    .select(transferColumns)
    .where("charger_id", "=", chargerId)
    .orderBy("id", "desc")
    .limit(limit);
  return (beforeId === undefined ? query : query.where("id", "<", beforeId)).execute();
}

/** Forgets what was said before this. */
export async function deleteTransfersBefore(db: Db, time: Date): Promise<void> {
  await db.deleteFrom("data_transfer").where("create_time", "<", time).execute();
}

/** The messages of a vendor that are known: this one, or the one that stands for all others. Neither vendors nor messages differ by case. */
export async function vendorMessages(db: Db, vendorId: string, messageId: string) {
  const rows = await db
    .selectFrom("vendor_message")
    .select(["message_id", "answer_status", "answer_data"])
    .where(sql`lower(vendor_id)`, "=", sql`lower(${vendorId}::text collate "C")`)
    .orderBy("message_id", "desc")
    .execute();
  const named = rows.find(({ message_id }) => message_id.toLowerCase() === messageId.toLowerCase());
  return { isVendorKnown: rows.length > 0, message: named ?? rows.find(({ message_id }) => message_id === "") };
}

/** By vendor and message, from the one after. */
export function vendorMessagesAfter(
  db: Db,
  after: { vendorId: string; messageId: string } | undefined,
  limit: number,
): Promise<VendorMessageRow[]> {
  const query = db.selectFrom("vendor_message").select(messageColumns).orderBy("vendor_id").orderBy("message_id").limit(limit);
  if (after === undefined) return query.execute();
  return query.where(sql<boolean>`(vendor_id, message_id) > (${after.vendorId}, ${after.messageId})`).execute();
}

/** Breaks vendor_message_is_known_once if it is known. */
export function insertVendorMessage(tx: Db, row: Insertable<Database["vendor_message"]>): Promise<VendorMessageRow> {
  return tx.insertInto("vendor_message").values(row).returning(messageColumns).executeTakeFirstOrThrow();
}

/** Undefined if there is none. */
export function updateVendorMessage(
  tx: Db,
  id: string,
  change: { answer_status?: VendorAnswer; answer_data?: string },
): Promise<VendorMessageRow | undefined> {
  return tx
    .updateTable("vendor_message")
    .set({ ...change, update_time: sql<Date>`now()` })
    .where("id", "=", id)
    .returning(messageColumns)
    .executeTakeFirst();
}

/** Undefined if there was none. */
export function deleteVendorMessage(tx: Db, id: string): Promise<VendorMessageRow | undefined> {
  return tx.deleteFrom("vendor_message").where("id", "=", id).returning(messageColumns).executeTakeFirst();
}
