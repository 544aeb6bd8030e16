import type { Selectable, Transaction } from "kysely";
import type { Database, Db, SigningKeyTable } from "./schema.ts";

const columns = ["kid", "public_x", "public_y", "private_key", "create_time", "activate_time", "expire_time"] as const;

export type SigningKeyRow = Selectable<SigningKeyTable>;

/** The keys that tokens in use may be signed with, or soon will be; the one that became active last comes last. */
export async function keysInUse(db: Db, now: Date): Promise<SigningKeyRow[]> {
  return db
    .selectFrom("signing_key")
    .select(columns)
    .where((eb) => eb.or([eb("expire_time", "is", null), eb("expire_time", ">", now)]))
    .orderBy("activate_time")
    .orderBy("kid")
    .execute();
}

export async function insertKey(tx: Transaction<Database>, row: SigningKeyRow): Promise<void> {
  await tx.insertInto("signing_key").values(row).execute();
}

/** Says when the keys end that have no end yet: a younger one takes their place. */
export async function expireKeys(tx: Transaction<Database>, expireTime: Date): Promise<void> {
  await tx.updateTable("signing_key").set({ expire_time: expireTime }).where("expire_time", "is", null).execute();
}
