import { sql } from "kysely";
import { columns } from "./id-token.ts";
import type { Db, IdTokenRow } from "./schema.ts";

/** Blocks the id tokens of a user and makes them nobody's. */
export function releaseIdTokens(tx: Db, userId: string): Promise<IdTokenRow[]> {
  return tx
    .updateTable("id_token")
    .set((eb) => ({ status: "BLOCKED" as const, user_id: null, version: eb("version", "+", 1), update_time: sql<Date>`now()` }))
    .where("user_id", "=", userId)
    .returning(columns)
    .execute();
}

/** Makes the transactions, commands and reservations of a user nobody's. They stay: they are the books. */
export async function releaseTransactionsAndCommands(tx: Db, userId: string): Promise<void> {
  await tx.updateTable("reservation").set({ user_id: null }).where("user_id", "=", userId).execute();
  await tx.updateTable("transaction").set({ user_id: null }).where("user_id", "=", userId).execute();
  await tx.updateTable("command").set({ user_id: null }).where("user_id", "=", userId).execute();
}
