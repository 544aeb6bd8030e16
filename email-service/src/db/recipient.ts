import type { Db, RecipientRow } from "./schema.ts";

/** Remembers what an event said of a user, unless a newer one has said something since. */
export async function saveRecipient(tx: Db, recipient: RecipientRow): Promise<void> {
  await tx
    .insertInto("recipient")
    .values(recipient)
    .onConflict((conflict) =>
      conflict
        .column("user_id")
        .doUpdateSet((eb) => ({
          username: eb.ref("excluded.username"),
          email: eb.ref("excluded.email"),
          update_time: eb.ref("excluded.update_time"),
        }))
        .whereRef("excluded.update_time", ">=", "recipient.update_time"),
    )
    .execute();
}

/** Undefined if no event has told us of this user yet. */
export function recipientById(db: Db, userId: string): Promise<RecipientRow | undefined> {
  return db
    .selectFrom("recipient")
    .select(["user_id", "username", "email", "update_time"])
    .where("user_id", "=", userId)
    .executeTakeFirst();
}
