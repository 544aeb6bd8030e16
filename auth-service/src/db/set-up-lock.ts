import { sql, type Transaction } from "kysely";
import type { Database } from "./schema.ts";

/** Until the transaction ends, no other replica makes what there may be only one of: the first key, the first administrator. */
export async function lockSetUp(tx: Transaction<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.set_up', 0))`.execute(tx);
}
