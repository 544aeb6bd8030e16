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
import type { Availability, Db, Registration, Relaxation, SecurityProfile, TransactionRow } from "../db/schema.ts";
import { activeTransactions } from "../db/transaction.ts";
import { chargerCreated, chargerDeleted, chargerUpdated } from "../events.ts";
import { revokeCertificatesOf } from "./certificate.ts";
import { noCharger } from "./command.ts";
import { endRotations } from "./rotation.ts";

/** A charger that an operator makes known. */
export interface NewCharger {
  id: string;
  displayName: string;
  /** Null if it needs none. */
  passwordHash: Buffer | null;
  registration: Registration;
  availability: Availability;
  relaxations: Relaxation[];
  securityProfile: SecurityProfile;
  /** Whom its certificate must be for; empty means its id. */
  certificateName: string;
}

/** Registers a charger. ALREADY_EXISTS if there is one with this id. */
export function registerCharger(db: Db, charger: NewCharger): Promise<ChargerRow> {
  return transact(db, async (tx) => {
    if (!(await insertCharger(tx, charger))) {
      throw new AppError("alreadyExists", "CHARGER_EXISTS", `There is a charger ${charger.id} already.`);
    }
    const row = await existing(tx, charger.id);
    await chargerCreated(tx, row);
    await recordAudit(tx, { resource: `chargers/${row.id}` });
    return row;
  });
}

/**
 * Changes a charger, and answers it with the transactions that are active there. A new password ends what rotations there are.
 * NOT_FOUND if there is none. ABORTED if `version` is given and stale. FAILED_PRECONDITION if it would need a password and have none.
 */
export function changeCharger(
  db: Db,
  id: string,
  version: number | undefined,
  change: ChargerChange,
): Promise<{ charger: ChargerRow; active: TransactionRow[] }> {
  return transact(db, async (tx) => {
    const updated = await updateCharger(tx, id, version, change);
    if (updated && change.password_hash !== undefined) await endRotations(tx, id);
    const charger = await existing(tx, id);
    if (!updated) throw new AppError("aborted", "ETAG_STALE", `Charger ${id} was changed by someone else. Read it again.`);
    if (change.security_profile !== undefined) mustHavePassword(charger, change.security_profile);
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
    await revokeCertificatesOf(tx, charger.id);
    await deleteCharger(tx, charger.id);
    await chargerDeleted(tx, charger.id);
    await recordAudit(tx, { resource: `chargers/${charger.id}` });
  });
}

function mustHavePassword({ id, has_password: hasPassword }: ChargerRow, profile: SecurityProfile): void {
  if (hasPassword || !needsPassword(profile)) return;
  const message = `Charger ${id} has no password, which security profile ${profile} needs. Set one too.`;
  throw new AppError("failedPrecondition", "PASSWORD_NEEDED", message);
}

/** Whether one must show a password to come in by this security profile. */
export function needsPassword(profile: SecurityProfile): boolean {
  return profile === 1 || profile === 2;
}

/** What is told of a change: what it was of, and what may be known of that. */
function auditDetails({
  registration,
  availability,
  relaxations,
  security_profile: profile,
  ...others
}: ChargerChange): Record<string, string> {
  return {
    ...(registration === undefined ? {} : { registration }),
    ...(availability === undefined ? {} : { availability }),
    ...(relaxations === undefined ? {} : { relaxations: relaxations.join(",") }),
    ...(profile === undefined ? {} : { securityProfile: String(profile) }),
    ...Object.fromEntries(Object.keys(others).map((name) => [name, "changed"])),
  };
}

async function existing(tx: Db, id: string): Promise<ChargerRow> {
  const row = await chargerById(tx, id);
  if (row === undefined) throw noCharger(id);
  return row;
}
