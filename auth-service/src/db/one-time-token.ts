import { type Insertable, sql, type Transaction } from "kysely";
import type { Database, Db, OneTimeTokenTable, TokenPurpose } from "./schema.ts";
import { type UserRow, userColumns } from "./user.ts";

/** Stores a token. Those that its user had for the same purpose are good no more. */
export async function insertOneTimeToken(tx: Transaction<Database>, row: Insertable<OneTimeTokenTable>): Promise<void> {
  await sql`delete from one_time_token where user_id = ${row.user_id ?? null}::uuid and purpose = ${row.purpose}`.execute(tx);
  await tx.insertInto("one_time_token").values(row).execute();
}

/** A token that is good, and whose it is. */
export interface TokenOfUser {
  purpose: TokenPurpose;
  /** Where it was mailed. */
  email: string | null;
  user: UserRow;
}

/** Undefined if there is none, or it has expired. */
export async function oneTimeToken(db: Db, hash: Buffer, purposes: readonly TokenPurpose[], now: Date): Promise<TokenOfUser | undefined> {
  const row = await db
    .selectFrom("one_time_token")
    .innerJoin("user", "user.id", "one_time_token.user_id")
    .select(["one_time_token.purpose", "one_time_token.email as token_email"])
    .select(userColumns.map((column) => `user.${column}` as const))
    .where("hash", "=", hash)
    .where("one_time_token.purpose", "in", purposes)
    .where("one_time_token.expire_time", ">", now)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { purpose, token_email: email, ...user } = row;
  return { purpose, email, user };
}

/** Uses a token up. Of several who show it at once, one is answered true. */
export async function spendOneTimeToken(tx: Transaction<Database>, hash: Buffer): Promise<boolean> {
  return (await tx.deleteFrom("one_time_token").where("hash", "=", hash).executeTakeFirst()).numDeletedRows === 1n;
}

/** Uses up all tokens of a user. */
export async function deleteOneTimeTokens(tx: Transaction<Database>, userId: string): Promise<void> {
  await tx.deleteFrom("one_time_token").where("user_id", "=", userId).execute();
}

/** Removes those that have run out. */
export async function deleteExpiredTokens(db: Db, now: Date): Promise<void> {
  await db.deleteFrom("one_time_token").where("expire_time", "<=", now).execute();
}
