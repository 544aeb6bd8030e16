import type { Db, OptOutCategory } from "./schema.ts";

/** What a user does not want mails of. */
export async function optOutsOf(db: Db, userId: string): Promise<Set<OptOutCategory>> {
  const rows = await db.selectFrom("opt_out").select("category").where("user_id", "=", userId).execute();
  return new Set(rows.map(({ category }) => category));
}

/** Says whether it was not so already. */
export async function addOptOut(tx: Db, userId: string, category: OptOutCategory, now: Date): Promise<boolean> {
  const row = await tx
    .insertInto("opt_out")
    .values({ user_id: userId, category, create_time: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning("category")
    .executeTakeFirst();
  return row !== undefined;
}

/** Says whether there was one. */
export async function removeOptOut(tx: Db, userId: string, category: OptOutCategory): Promise<boolean> {
  const row = await tx
    .deleteFrom("opt_out")
    .where("user_id", "=", userId)
    .where("category", "=", category)
    .returning("category")
    .executeTakeFirst();
  return row !== undefined;
}

export async function removeOptOutsOf(tx: Db, userId: string): Promise<void> {
  await tx.deleteFrom("opt_out").where("user_id", "=", userId).execute();
}
