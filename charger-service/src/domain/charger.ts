import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import {
  type ChargerChange,
  type ChargerRow,
  chargerById,
  connectorsOf,
  deleteCharger,
  insertCharger,
  updateCharger,
} from "../db/charger.ts";
import type { Availability, Db, Registration, TransactionRow } from "../db/schema.ts";
import { activeTransactions } from "../db/transaction.ts";
import { chargerCreated, chargerDeleted, chargerUpdated } from "../events.ts";
import { noCharger } from "./command.ts";
import { hashPassword } from "./password.ts";

/** Registers a charger. ALREADY_EXISTS if there is one with this id. */
export function registerCharger(
  db: Db,
  charger: { id: string; displayName: string; password: string; registration: Registration; availability: Availability },
): Promise<ChargerRow> {
  return transact(db, async (tx) => {
    const { password, ...rest } = charger;
    if (!(await insertCharger(tx, { ...rest, passwordHash: hashPassword(password) }))) {
      throw new AppError("alreadyExists", "CHARGER_EXISTS", `There is a charger ${charger.id} already.`);
    }
    const row = await existing(tx, charger.id);
    await chargerCreated(tx, row);
    await recordAudit(tx, { resource: `chargers/${row.id}` });
    return row;
  });
}

/**
 * Changes a charger, and answers it with the transactions that are active there.
 * NOT_FOUND if there is none. ABORTED if `version` is given and stale.
 */
export function changeCharger(
  db: Db,
  id: string,
  version: number | undefined,
  change: ChargerChange,
): Promise<{ charger: ChargerRow; active: TransactionRow[] }> {
  return transact(db, async (tx) => {
    const updated = await updateCharger(tx, id, version, change);
    const charger = await existing(tx, id);
    if (!updated) throw new AppError("aborted", "ETAG_STALE", `Charger ${id} was changed by someone else. Read it again.`);
    await chargerUpdated(tx, charger, await connectorsOf(tx, [id]));
    await recordAudit(tx, { resource: `chargers/${id}`, details: auditDetails(change) });
    return { charger, active: await activeTransactions(tx, id) };
  });
}

/** Forgets a charger; its transactions stay. NOT_FOUND if there is none, FAILED_PRECONDITION while something charges there. */
export function removeCharger(db: Db, id: string): Promise<void> {
  return transact(db, async (tx) => {
    const charger = await existing(tx, id);
    const [active] = await activeTransactions(tx, id);
    if (active !== undefined) {
      throw new AppError("failedPrecondition", "CHARGER_IN_USE", `Transaction ${active.id} is active at charger ${id}. Stop it first.`);
    }
    await deleteCharger(tx, charger.id);
    await chargerDeleted(tx, charger.id);
    await recordAudit(tx, { resource: `chargers/${charger.id}` });
  });
}

/** What is told of a change: what it was of, and what may be known of that. */
function auditDetails({ registration, availability, ...others }: ChargerChange): Record<string, string> {
  return {
    ...(registration === undefined ? {} : { registration }),
    ...(availability === undefined ? {} : { availability }),
    ...Object.fromEntries(Object.keys(others).map((name) => [name, "changed"])),
  };
}

async function existing(tx: Db, id: string): Promise<ChargerRow> {
  const row = await chargerById(tx, id);
  if (row === undefined) throw noCharger(id);
  return row;
}
