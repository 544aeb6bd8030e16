import { transact } from "@chargemesh/kit/postgres";
import { abandonedTransactions, stopAbandoned } from "../db/abandoned-transaction.ts";
import type { Db } from "../db/schema.ts";
import { endTransaction } from "./transaction-end.ts";

/** How long after a boot a charger may take to say that a transaction has stopped, or goes on, in seconds: what it has kept comes first. */
const AFTER_BOOT_SECONDS = 300;
/** So many end in one database transaction: their stops may come in this moment, and wait. */
const ENDED_AT_ONCE = 50;

/**
 * Ends the transactions that a reboot has ended without the charger's saying so: on connectors that are free again, at their last reading. If the
 * stop comes after all, it counts.
 */
export async function endAbandoned(db: Db, replicaId: string): Promise<void> {
  const ids = await abandonedTransactions(db, replicaId, AFTER_BOOT_SECONDS);
  for (let at = 0; at < ids.length; at += ENDED_AT_ONCE) await end(db, ids.slice(at, at + ENDED_AT_ONCE));
}

function end(db: Db, ids: readonly number[]): Promise<void> {
  return transact(db, async (tx) => {
    for (const row of await stopAbandoned(tx, ids)) await endTransaction(tx, row, { interrupted: false, newFlags: ["STOP_MISSING"] });
  });
}
