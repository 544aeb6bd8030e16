import { type Insertable, type Selectable, sql, type Transaction, type Updateable } from "kysely";
import type { Database, Db, UserTable } from "./schema.ts";

/** A user without what only signing in needs. */
export const userColumns = [
  "id",
  "username",
  "email",
  "email_verify_time",
  "role",
  "disable_time",
  "create_time",
  "issuer",
  "language",
] as const;
const columns = userColumns;

export type UserRow = Pick<Selectable<UserTable>, (typeof userColumns)[number]>;

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

/** Those who have this address, the one who has shown so first; at most `limit`. */
export async function usersByEmailKey(db: Db, emailKey: string, limit: number): Promise<UserRow[]> {
  return db
    .selectFrom("user")
    .select(columns)
    .where("email_key", "=", emailKey)
    .orderBy(sql`email_verify_time is null`)
    .orderBy("create_time")
    .limit(limit)
    .execute();
}

/** The hash of a user's password; undefined if there is no such user. */
export async function passwordHashOf(db: Db, id: string): Promise<string | undefined> {
  return (await db.selectFrom("user").select("password_hash").where("id", "=", id).executeTakeFirst())?.password_hash;
}

/**
 * Whether a user still has the password that this hash is of, and may come in. Neither changes until the transaction ends: a session that is
 * opened by a password is there when a change of the password ends all sessions, or is not opened.
 */
export async function stillSignsIn(tx: Transaction<Database>, id: string, passwordHash: string): Promise<boolean> {
  const user = await tx
    .selectFrom("user")
    .select("id")
    .where("id", "=", id)
    .where("password_hash", "=", passwordHash)
    .where("disable_time", "is", null)
    .forShare()
    .executeTakeFirst();
  return user !== undefined;
}

/** Puts the hash of the same password in the place of `from`. False if there is another by now. */
export async function replacePasswordHash(db: Db, id: string, from: string, to: string): Promise<boolean> {
  const query = db.updateTable("user").set({ password_hash: to }).where("id", "=", id).where("password_hash", "=", from);
  return (await query.executeTakeFirst()).numUpdatedRows > 0n;
}

/** Newest first, at most `limit`; those that come after `cursor` in that order. */
export async function listUserRows(db: Db, limit: number, cursor: { createTime: Date; id: string } | undefined): Promise<UserRow[]> {
  const query = db.selectFrom("user").select(columns).orderBy("create_time", "desc").orderBy("id", "desc").limit(limit);
  if (cursor === undefined) return query.execute();
  return query.where(sql<boolean>`(create_time, id) < (${cursor.createTime}::timestamptz, ${cursor.id}::uuid)`).execute();
}

/** Whether there is one who signs in with us: what another identity provider says of its people may end any day. */
export async function hasAdmin(db: Db): Promise<boolean> {
  const admins = db.selectFrom("user").select("id").where("role", "=", "ADMIN").where("issuer", "is", null);
  return (await admins.limit(1).executeTakeFirst()) !== undefined;
}

/**
 * The ids of all administrators who may sign in with us, and who stay so until the transaction ends. Whoever else asks waits, and then sees what is left:
 * two administrators who take the role from each other at once do not both succeed.
 */
export async function lockAdmins(tx: Transaction<Database>): Promise<string[]> {
  const rows = await tx
    .selectFrom("user")
    .select("id")
    .where("role", "=", "ADMIN")
    .where("disable_time", "is", null)
    .where("issuer", "is", null)
    .orderBy("id")
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}

/** The user, whom nobody else changes until the transaction ends. */
export async function lockUser(tx: Transaction<Database>, id: string): Promise<UserRow | undefined> {
  return tx.selectFrom("user").select(columns).where("id", "=", id).forUpdate().executeTakeFirst();
}

/** Changes a user, who must be there. */
export async function changeUser(tx: Transaction<Database>, id: string, change: Updateable<UserTable>): Promise<UserRow> {
  return tx.updateTable("user").set(change).where("id", "=", id).returning(columns).executeTakeFirstOrThrow();
}

/** Removes a user, with their sessions and tokens. */
export async function deleteUser(tx: Transaction<Database>, id: string): Promise<void> {
  await tx.deleteFrom("user").where("id", "=", id).execute();
}
