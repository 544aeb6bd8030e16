import { type Insertable, type Selectable, sql, type Transaction } from "kysely";
import type { ApiKeyTable, Database, Db } from "./schema.ts";

const columns = ["id", "user_id", "display_name", "role", "scopes", "charger_ids", "create_time", "expire_time", "last_use_time"] as const;

/** A key without what proves that one has it. */
export type ApiKeyRow = Pick<Selectable<ApiKeyTable>, (typeof columns)[number]>;

export async function insertApiKey(tx: Transaction<Database>, row: Insertable<ApiKeyTable>): Promise<ApiKeyRow> {
  return tx.insertInto("api_key").values(row).returning(columns).executeTakeFirstOrThrow();
}

export async function countApiKeys(tx: Transaction<Database>, userId: string): Promise<number> {
  const { count } = await tx
    .selectFrom("api_key")
    .select(sql<number>`count(*)`.as("count"))
    .where("user_id", "=", userId)
    .executeTakeFirstOrThrow();
  return count;
}

/** With `userId`, only if it is that user's. */
export async function apiKeyById(db: Db, id: string, userId: string | undefined): Promise<ApiKeyRow | undefined> {
  const query = db.selectFrom("api_key").select(columns).where("id", "=", id);
  return (userId === undefined ? query : query.where("user_id", "=", userId)).executeTakeFirst();
}

/** Newest first, at most `limit`; those that come after `cursor` in that order. With `userId`, only that user's. */
export async function listApiKeyRows(
  db: Db,
  limit: number,
  cursor: { createTime: Date; id: string } | undefined,
  userId: string | undefined,
): Promise<ApiKeyRow[]> {
  let query = db.selectFrom("api_key").select(columns).orderBy("create_time", "desc").orderBy("id", "desc").limit(limit);
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  if (cursor !== undefined) query = query.where(sql<boolean>`(create_time, id) < (${cursor.createTime}::timestamptz, ${cursor.id}::uuid)`);
  return query.execute();
}

/** Removes a key, with `userId` only if it is that user's, and says whether there was one. */
export async function deleteApiKey(tx: Transaction<Database>, id: string, userId: string | undefined): Promise<boolean> {
  const query = tx.deleteFrom("api_key").where("id", "=", id);
  const { numDeletedRows } = await (userId === undefined ? query : query.where("user_id", "=", userId)).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Removes all keys of a user. */
export async function deleteApiKeysOf(tx: Transaction<Database>, userId: string): Promise<void> {
  await tx.deleteFrom("api_key").where("user_id", "=", userId).execute();
}

/** A key that is good now, and its user. */
export type ApiKeyOfUser = ApiKeyRow & { username: string; user_role: ApiKeyRow["role"] };

/** The key with this hash, unless it has expired or its user may not come in. */
export async function goodApiKey(db: Db, secretHash: Buffer, now: Date): Promise<ApiKeyOfUser | undefined> {
  return db
    .selectFrom("api_key")
    .innerJoin("user", "user.id", "api_key.user_id")
    .select(["api_key.id", "user_id", "display_name", "api_key.role", "scopes", "charger_ids", "api_key.create_time", "expire_time"])
    .select(["last_use_time", "username", "user.role as user_role"])
    .where("secret_hash", "=", secretHash)
    .where("expire_time", ">", now)
    .where("disable_time", "is", null)
    .executeTakeFirst();
}

/** Remembers that a key was used, unless it was a moment ago. */
export async function touchApiKey(db: Db, id: string, now: Date, before: Date): Promise<void> {
  await db
    .updateTable("api_key")
    .set({ last_use_time: now })
    .where("id", "=", id)
    .where((eb) => eb.or([eb("last_use_time", "is", null), eb("last_use_time", "<", before)]))
    .execute();
}
