import type { Insertable, Transaction } from "kysely";
import type { Database, Db, UserTable } from "./schema.ts";
import { type UserRow, userColumns } from "./user.ts";

/** What a user of another identity provider was told to us as. */
export type ExternalUserRow = UserRow & { subject: string | null };

export async function externalUserById(db: Db, id: string): Promise<ExternalUserRow | undefined> {
  return db
    .selectFrom("user")
    .select([...userColumns, "subject"])
    .where("id", "=", id)
    .where("issuer", "is not", null)
    .executeTakeFirst();
}

/** Stores a user of another identity provider; undefined if another call has just done it. */
export async function insertExternalUser(tx: Transaction<Database>, row: Insertable<UserTable>): Promise<UserRow | undefined> {
  return tx
    .insertInto("user")
    .values(row)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning(userColumns)
    .executeTakeFirst();
}
