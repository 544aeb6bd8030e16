import { sql } from "kysely";
import type { Db } from "./schema.ts";

/** Blocks the id tokens of a user and makes them nobody's; answers their texts. */
export async function releaseIdTokens(tx: Db, userId: string): Promise<string[]> {
  const rows = await tx
    .updateTable("id_token")
    .set((eb) => ({ status: "BLOCKED" as const, user_id: null, version: eb("version", "+", 1), update_time: sql<Date>`now()` }))
    .where("user_id", "=", userId)
    .returning("id_token")
    .execute();
  return rows.map(({ id_token }) => id_token);
}

/** Makes the transactions, commands and reservations of a user nobody's. They stay: they are the books. */
export async function releaseTransactionsAndCommands(tx: Db, userId: string): Promise<void> {
  await tx.updateTable("reservation").set({ user_id: null }).where("user_id", "=", userId).execute();
  await tx.updateTable("transaction").set({ user_id: null }).where("user_id", "=", userId).execute();
  await tx.updateTable("command").set({ user_id: null }).where("user_id", "=", userId).execute();
}
