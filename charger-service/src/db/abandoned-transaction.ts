import { sql } from "kysely";
import type { Db, TransactionRow } from "./schema.ts";
import { columns, stoppedUnsaid } from "./transaction.ts";

/**
 * What chargers of this replica have left behind when they booted, so many seconds ago: they have said nothing of it since, and the connector
 * is free.
 */
export async function abandonedTransactions(db: Db, replicaId: string, seconds: number): Promise<number[]> {
  const rows = await db
    .selectFrom("transaction")
    .select("id")
    .where("state", "=", "ACTIVE")
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("charger")
          .innerJoin("connector", "connector.charger_id", "charger.id")
          .select("charger.id")
          .whereRef("charger.id", "=", "transaction.charger_id")
          .whereRef("connector.evse_id", "=", "transaction.evse_id")
          .whereRef("connector.connector_id", "=", "transaction.connector_id")
          .where("connector.status", "=", "AVAILABLE")
          .where("charger.replica_id", "=", replicaId)
          .whereRef("charger.boot_time", ">", "transaction.update_time")
          .where("charger.boot_time", "<", sql<Date>`now() - make_interval(secs => ${seconds})`),
      ),
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** Ends those of these transactions of which nothing was said since a boot. */
export function stopAbandoned(tx: Db, ids: readonly number[]): Promise<TransactionRow[]> {
  return tx
    .updateTable("transaction")
    .set(stoppedUnsaid)
    .where("id", "in", ids)
    .where("state", "=", "ACTIVE")
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("charger")
          .select("charger.id")
          .whereRef("charger.id", "=", "transaction.charger_id")
          .whereRef("charger.boot_time", ">", "transaction.update_time"),
      ),
    )
    .returning(columns)
    .execute();
}
