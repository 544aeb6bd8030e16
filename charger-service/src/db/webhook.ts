import { type Insertable, sql, type Updateable } from "kysely";
import type { Database, Db } from "./schema.ts";
import type { WebhookCursorRow, WebhookReplayRow, WebhookRow } from "./webhook-tables.ts";

const columns = [
  "id",
  "url",
  "types",
  "charger_id",
  "transaction_id",
  "in_order",
  "description",
  "sealed_secret",
  "sealed_previous_secret",
  "previous_secret_expire_time",
  "owner_user_id",
  "owner_role",
  "state",
  "disable_reason",
  "failing_since",
  "version",
  "create_time",
  "update_time",
] as const;

/** How many there are. Nobody makes another one until the transaction ends. */
export async function countWebhooks(tx: Db): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended('ocpp.webhook.count', 0))`.execute(tx);
  const { count } = await tx.selectFrom("webhook").select(tx.fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
  return count;
}

export function insertWebhook(tx: Db, row: Insertable<Database["webhook"]>): Promise<WebhookRow> {
  return tx.insertInto("webhook").values(row).returning(columns).executeTakeFirstOrThrow();
}

/** Undefined if there is none. */
export function webhookById(db: Db, id: string): Promise<WebhookRow | undefined> {
  return db.selectFrom("webhook").select(columns).where("id", "=", id).executeTakeFirst();
}

/** The same, and nobody changes it until the transaction ends. */
export function lockWebhook(tx: Db, id: string): Promise<WebhookRow | undefined> {
  return tx.selectFrom("webhook").select(columns).where("id", "=", id).forNoKeyUpdate().executeTakeFirst();
}

/** Newest first, after the given one. */
export function webhooksBefore(
  db: Db,
  cursor: { createTime: string; id: string } | undefined,
  limit: number,
  chargerId: string | undefined,
): Promise<WebhookRow[]> {
  let query = db.selectFrom("webhook").select(columns).orderBy("create_time", "desc").orderBy("id", "desc").limit(limit);
  if (chargerId !== undefined) query = query.where("charger_id", "=", chargerId);
  if (cursor !== undefined) query = query.where(sql<boolean>`(create_time, id) < (${cursor.createTime}::timestamptz, ${cursor.id}::uuid)`);
  return query.execute();
}

/** Every one. There are not many. */
export function allWebhooks(db: Db): Promise<WebhookRow[]> {
  return db.selectFrom("webhook").select(columns).execute();
}

/** Undefined if there is none. */
export function updateWebhook(tx: Db, id: string, change: Updateable<Database["webhook"]>): Promise<WebhookRow | undefined> {
  return tx
    .updateTable("webhook")
    .set((eb) => ({ ...change, version: eb("version", "+", 1), update_time: sql<Date>`now()` }))
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirst();
}

/** Undefined if there was none. */
export function deleteWebhook(tx: Db, id: string): Promise<WebhookRow | undefined> {
  return tx.deleteFrom("webhook").where("id", "=", id).returning(columns).executeTakeFirst();
}

/** Every one of a user, and until the transaction ends nobody changes them, or queues anything for them. */
export function lockWebhooksOf(tx: Db, userId: string): Promise<WebhookRow[]> {
  return tx.selectFrom("webhook").select(columns).where("owner_user_id", "=", userId).orderBy("id").forUpdate().execute();
}

/** How far the journal has been read for all webhooks; undefined if it never was. */
export function readCursor(db: Db): Promise<WebhookCursorRow | undefined> {
  return db.selectFrom("webhook_cursor").select(["cursor", "journal"]).executeTakeFirst();
}

export async function writeCursor(tx: Db, row: WebhookCursorRow): Promise<void> {
  await tx
    .insertInto("webhook_cursor")
    .values(row)
    .onConflict((conflict) => conflict.column("is_only").doUpdateSet(row))
    .execute();
}

/** Begins a replay in the place of the one before. Undefined if that is still running. */
export function insertReplay(
  tx: Db,
  row: Pick<WebhookReplayRow, "webhook_id" | "start_time" | "end_time" | "types" | "cursor" | "end_cursor">,
): Promise<WebhookReplayRow | undefined> {
  const fresh = { ...row, events: 0, state: "RUNNING", create_time: sql<Date>`now()` } as const;
  return tx
    .insertInto("webhook_replay")
    .values(fresh)
    .onConflict((conflict) => conflict.column("webhook_id").doUpdateSet(fresh).where("webhook_replay.state", "=", "ENDED"))
    .returningAll()
    .executeTakeFirst();
}

/** The newest replays of these webhooks, as far as they have one. */
export function replaysOf(db: Db, webhookIds: readonly string[]): Promise<WebhookReplayRow[]> {
  return db.selectFrom("webhook_replay").selectAll().where("webhook_id", "=", sql<string>`any(${webhookIds}::uuid[])`).execute();
}

/** Whether any replay, of whatever webhook, has not ended. */
export async function hasReplays(db: Db): Promise<boolean> {
  const running = await db.selectFrom("webhook_replay").select("webhook_id").where("state", "=", "RUNNING").limit(1).execute();
  return running.length > 0;
}

/** The replay that has waited longest, of an enabled webhook other than these, for us alone until the transaction ends. Undefined if there is none. */
export function lockReplay(tx: Db, except: readonly string[]): Promise<WebhookReplayRow | undefined> {
  return tx
    .selectFrom("webhook_replay")
    .selectAll()
    .where("state", "=", "RUNNING")
    .where("webhook_id", "<>", sql<string>`all(${except}::uuid[])`)
    .orderBy("create_time")
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
}

export async function updateReplay(
  tx: Db,
  webhookId: string,
  { cursor, events, state }: Pick<WebhookReplayRow, "cursor" | "events" | "state">,
): Promise<void> {
  await tx.updateTable("webhook_replay").set({ cursor, events, state }).where("webhook_id", "=", webhookId).execute();
}
