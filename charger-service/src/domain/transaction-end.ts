import { powerCurve } from "../db/power-curve.ts";
import type { Db, TransactionFlag, TransactionRow } from "../db/schema.ts";
import { transactionFlagged, transactionStopped } from "../events.ts";
import { endProfilesOf } from "./assignment-outcome.ts";

/** What is told of the end of a transaction beside itself. */
export interface End {
  /** Whether something broke it off that nobody there wanted. */
  interrupted: boolean;
  /** The flags that it has got by its end. */
  newFlags: readonly TransactionFlag[];
}

/** A transaction has ended: tells of it, with the course of its power, and ends what was there for it alone. */
export async function endTransaction(tx: Db, stopped: TransactionRow, { interrupted, newFlags }: End): Promise<void> {
  await transactionStopped(tx, stopped, interrupted, await powerCurve(tx, stopped));
  await transactionFlagged(tx, stopped, newFlags);
  await endProfilesOf(tx, stopped.id);
}
