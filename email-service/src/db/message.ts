import { type Insertable, sql } from "kysely";
import type { Database, Db, MessageRow, MessageState, OptOutCategory } from "./schema.ts";

const columns = [
  "id",
  "to_address",
  "subject",
  "text",
  "html",
  "template",
  "event_id",
  "idempotency_key",
  "request_id",
  "state",
  "attempts",
  "last_error",
  "create_time",
  "next_attempt_time",
  "give_up_time",
  "send_time",
  "sealed_link",
  "is_forgotten_once_done",
  "bounce_code",
  "bounce_status",
  "bounce_text",
  "user_id",
  "category",
] as const;

/** Undefined if there is one for this event, template and address, or with this idempotency key, already. */
export function insertMessage(tx: Db, message: Insertable<Database["message"]>): Promise<MessageRow | undefined> {
  return tx
    .insertInto("message")
    .values(message)
    .onConflict((conflict) => conflict.doNothing())
    .returning(columns)
    .executeTakeFirst();
}

export function messageById(db: Db, id: string): Promise<MessageRow | undefined> {
  return db.selectFrom("message").select(columns).where("id", "=", id).executeTakeFirst();
}

export function messageByIdempotencyKey(db: Db, key: string): Promise<MessageRow | undefined> {
  return db.selectFrom("message").select(columns).where("idempotency_key", "=", key).executeTakeFirst();
}

export interface MessageFilter {
  /** Without regard to case. */
  to: string | undefined;
  state: MessageState | undefined;
  /** Only those that have a bounce. */
  bounced: boolean;
  template: string | undefined;
  userId: string | undefined;
  /** Only those after this place in the list. */
  after: { createTime: Date; id: string } | undefined;
}

/** Newest first. */
export function listMessages(db: Db, { to, state, bounced, template, userId, after }: MessageFilter, limit: number): Promise<MessageRow[]> {
  let query = db.selectFrom("message").select(columns).orderBy("create_time", "desc").orderBy("id", "desc").limit(limit);
  if (to !== undefined) query = query.where(sql`lower(to_address)`, "=", sql`lower(${to})`);
  if (state !== undefined) query = query.where("state", "=", state);
  if (bounced) query = query.where("bounce_code", "is not", null);
  if (template !== undefined) query = query.where("template", "=", template);
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  if (after !== undefined) query = query.where(sql<boolean>`(create_time, id) < (${after.createTime}, ${after.id})`);
  return query.execute();
}

/**
 * Takes up to `limit` messages that are due, the longest due first, and leaves them to the caller alone until `leaseTime`.
 * Those in `held` are the caller's already.
 */
export function claimDueMessages(db: Db, now: Date, leaseTime: Date, held: readonly string[], limit: number): Promise<MessageRow[]> {
  return db
    .updateTable("message")
    .set((eb) => ({ attempts: eb("attempts", "+", 1), next_attempt_time: leaseTime }))
    .where("id", "in", (eb) =>
      eb
        .selectFrom("message")
        .select("id")
        .where("state", "=", "QUEUED")
        .where("next_attempt_time", "<=", now)
        .where("id", "<>", sql<string>`all(${held}::uuid[])`)
        .orderBy("next_attempt_time")
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(columns)
    .execute();
}

/** Keeps messages that are being sent from the others until `leaseTime`. */
export async function extendLeases(db: Db, held: readonly string[], leaseTime: Date): Promise<void> {
  await db.updateTable("message").set({ next_attempt_time: leaseTime }).where("id", "in", held).where("state", "=", "QUEUED").execute();
}

const AS_NEW = { state: "QUEUED", attempts: 0, bounce_code: null, bounce_status: null, bounce_text: null } as const;

/** Queues a message that failed as if it were new. Undefined if it has not failed. */
export function requeueFailed(db: Db, id: string, times: { next_attempt_time: Date; give_up_time: Date }): Promise<MessageRow | undefined> {
  return db
    .updateTable("message")
    .set({ ...AS_NEW, ...times })
    .where("id", "=", id)
    .where("state", "=", "FAILED")
    .returning(columns)
    .executeTakeFirst();
}

/** Queues messages that failed as if they were new, the oldest first and at most `limit`, and says how many. Those that have a bounce only with `bounced`. */
export async function requeueAllFailed(
  db: Db,
  { to, template, bounced }: Pick<MessageFilter, "to" | "template" | "bounced">,
  times: { next_attempt_time: Date; give_up_time: Date },
  limit: number,
): Promise<number> {
  let failed = db.selectFrom("message").select("id").where("state", "=", "FAILED").orderBy("create_time").limit(limit);
  if (to !== undefined) failed = failed.where(sql`lower(to_address)`, "=", sql`lower(${to})`);
  if (template !== undefined) failed = failed.where("template", "=", template);
  if (!bounced) failed = failed.where("bounce_code", "is", null);
  const { numUpdatedRows } = await db
    .updateTable("message")
    .set({ ...AS_NEW, ...times })
    .where("id", "in", failed.forUpdate().skipLocked())
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** False if it is no more. */
export async function deleteMessage(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("message").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Removes every message to a user, and to their address, but for those that go by themselves. */
export async function deleteMessagesTo(tx: Db, userId: string, address: string): Promise<void> {
  await tx
    .deleteFrom("message")
    .where((eb) => eb.or([eb("user_id", "=", userId), eb(sql`lower(to_address)`, "=", sql`lower(${address})`)]))
    .where("is_forgotten_once_done", "=", false)
    .execute();
}

/** Removes what a user does not want any more and nobody has sent yet. */
export async function deleteQueuedMessages(tx: Db, userId: string, category: OptOutCategory): Promise<void> {
  await tx.deleteFrom("message").where("state", "=", "QUEUED").where("user_id", "=", userId).where("category", "=", category).execute();
}

/** Removes up to `limit` messages that were sent, or given up, before `before`, and says how many. */
export async function deleteOldMessages(db: Db, before: Date, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("message")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("message")
        .select("id")
        .where("state", "<>", "QUEUED")
        // Of one that failed nobody notes when; it was given up by then at the latest.
        .where(sql<Date>`coalesce(send_time, give_up_time)`, "<", before)
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
