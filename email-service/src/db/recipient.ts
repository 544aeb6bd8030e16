import type { Db, RecipientRow } from "./schema.ts";

const columns = ["user_id", "username", "email", "language", "role", "is_disabled", "update_time"] as const;

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
          language: eb.ref("excluded.language"),
          role: eb.ref("excluded.role"),
          is_disabled: eb.ref("excluded.is_disabled"),
          update_time: eb.ref("excluded.update_time"),
        }))
        .whereRef("excluded.update_time", ">=", "recipient.update_time"),
    )
    .execute();
}

/** Undefined if no event has told us of this user yet. */
export function recipientById(db: Db, userId: string): Promise<RecipientRow | undefined> {
  return db.selectFrom("recipient").select(columns).where("user_id", "=", userId).executeTakeFirst();
}

/** The same, and keeps the user from being forgotten until the caller's transaction ends. */
export function holdRecipient(tx: Db, userId: string): Promise<RecipientRow | undefined> {
  return tx.selectFrom("recipient").select(columns).where("user_id", "=", userId).forShare().executeTakeFirst();
}

/** Everybody who runs chargers, has an address and wants to hear of what goes on with them. */
export function listOperators(db: Db): Promise<RecipientRow[]> {
  return db
    .selectFrom("recipient")
    .select(columns)
    .where("role", "<>", "DRIVER")
    .where("is_disabled", "=", false)
    .where("email", "<>", "")
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("opt_out")
            .select("opt_out.user_id")
            .whereRef("opt_out.user_id", "=", "recipient.user_id")
            .where("opt_out.category", "=", "OPERATION"),
        ),
      ),
    )
    .execute();
}
