import { type Insertable, type Selectable, sql, type Transaction } from "kysely";
import type { Database, Db, UserTable } from "./schema.ts";

const columns = ["id", "username", "email", "role", "create_time"] as const;

/** A user without what only signing in needs. */
export type UserRow = Pick<Selectable<UserTable>, (typeof columns)[number]>;

/** Throws if `username_key` is taken: constraint user_username_must_be_unique. */
export async function insertUser(tx: Transaction<Database>, row: Insertable<UserTable>): Promise<UserRow> {
  return tx.insertInto("user").values(row).returning(columns).executeTakeFirstOrThrow();
}

export async function userById(db: Db, id: string): Promise<UserRow | undefined> {
  return db.selectFrom("user").select(columns).where("id", "=", id).executeTakeFirst();
}

/** The user who signs in by this name, with the hash of their password. */
export async function userByKey(db: Db, usernameKey: string): Promise<(UserRow & { password_hash: string }) | undefined> {
  return db
    .selectFrom("user")
    .select([...columns, "password_hash"])
    .where("username_key", "=", usernameKey)
    .executeTakeFirst();
}

/** Newest first, at most `limit`; those that come after `cursor` in that order. */
export async function listUserRows(db: Db, limit: number, cursor: { createTime: Date; id: string } | undefined): Promise<UserRow[]> {
  const query = db.selectFrom("user").select(columns).orderBy("create_time", "desc").orderBy("id", "desc").limit(limit);
  if (cursor === undefined) return query.execute();
  return query.where(sql<boolean>`(create_time, id) < (${cursor.createTime}::timestamptz, ${cursor.id}::uuid)`).execute();
}

export async function hasAdmin(db: Db): Promise<boolean> {
  return (await db.selectFrom("user").select("id").where("role", "=", "ADMIN").limit(1).executeTakeFirst()) !== undefined;
}

/**
 * The ids of all administrators, who stay so until the transaction ends. Whoever else asks waits, and then sees what is left:
 * two administrators who take the role from each other at once do not both succeed.
 */
export async function lockAdmins(tx: Transaction<Database>): Promise<string[]> {
  const rows = await tx.selectFrom("user").select("id").where("role", "=", "ADMIN").orderBy("id").forUpdate().execute();
  return rows.map(({ id }) => id);
}

/** The user, whom nobody else changes until the transaction ends. */
export async function lockUser(tx: Transaction<Database>, id: string): Promise<UserRow | undefined> {
  return tx.selectFrom("user").select(columns).where("id", "=", id).forUpdate().executeTakeFirst();
}

export async function setRole(tx: Transaction<Database>, id: string, role: UserRow["role"]): Promise<UserRow> {
  return tx.updateTable("user").set({ role }).where("id", "=", id).returning(columns).executeTakeFirstOrThrow();
}
