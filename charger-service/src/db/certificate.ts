import { type Insertable, sql } from "kysely";
import type { CertificateRow, CertificateState } from "./certificate-tables.ts";
import type { Database, Db } from "./schema.ts";

const columns = [
  "id",
  "charger_id",
  "request_id",
  "state",
  "serial_number",
  "fingerprint",
  "subject",
  "issuer",
  "not_before",
  "not_after",
  "chain",
  "command_id",
  "install_time",
  "revoke_time",
  "renew_time",
  "renew_command_id",
  "create_time",
  "number",
] as const;

/** Undefined if this charger has none of this id. */
export function certificateById(db: Db, chargerId: string, id: string): Promise<CertificateRow | undefined> {
  return db.selectFrom("certificate").select(columns).where("id", "=", id).where("charger_id", "=", chargerId).executeTakeFirst();
}

/** By serial number, in hexadecimal digits as OpenSSL writes them; undefined if we have issued none such. */
export function certificateBySerialNumber(db: Db, serialNumber: string): Promise<CertificateRow | undefined> {
  return db.selectFrom("certificate").select(columns).where("serial_number", "=", serialNumber).executeTakeFirst();
}

/** The newest that came of a request. */
export function certificateOfRequest(db: Db, requestId: string): Promise<CertificateRow | undefined> {
  return db
    .selectFrom("certificate")
    .select(columns)
    .where("request_id", "=", requestId)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** Newest first, after the one of this number. */
export function certificatesBefore(db: Db, chargerId: string, beforeNumber: number | undefined, limit: number): Promise<CertificateRow[]> {
  let query = db.selectFrom("certificate").select(columns).where("charger_id", "=", chargerId).orderBy("number", "desc").limit(limit);
  if (beforeNumber !== undefined) query = query.where("number", "<", beforeNumber);
  return query.execute();
}

export function insertCertificate(tx: Db, certificate: Insertable<Database["certificate"]>): Promise<CertificateRow> {
  return tx.insertInto("certificate").values(certificate).returning(columns).executeTakeFirstOrThrow();
}

/** Those that their charger has not been sent, oldest first: of one charger, or of all. */
export function unsentCertificates(db: Db, now: Date, chargerId: string | undefined): Promise<CertificateRow[]> {
  let query = db
    .selectFrom("certificate")
    .select(columns)
    .where("state", "=", "PENDING_INSTALL")
    .where("command_id", "is", null)
    .where("not_after", ">", now)
    .orderBy("number");
  if (chargerId !== undefined) query = query.where("charger_id", "=", chargerId);
  return query.execute();
}

/** Ties a certificate to the command that carries it. False if one does already, or if it need not be sent any more. */
export async function setCertificateCommand(tx: Db, id: string, commandId: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("certificate")
    .set({ command_id: commandId })
    .where("id", "=", id)
    .where("state", "=", "PENDING_INSTALL")
    .where("command_id", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Makes a certificate that was sent count as unsent. */
export async function unsetCertificateCommand(tx: Db, id: string): Promise<void> {
  await tx.updateTable("certificate").set({ command_id: null }).where("id", "=", id).where("state", "=", "PENDING_INSTALL").execute();
}

/** The certificate that this command carries and that nobody knows to be installed; undefined if it carries none. */
export function pendingByCommand(tx: Db, commandId: string): Promise<CertificateRow | undefined> {
  return tx
    .selectFrom("certificate")
    .select(columns)
    .where("command_id", "=", commandId)
    .where("state", "=", "PENDING_INSTALL")
    .forUpdate()
    .executeTakeFirst();
}

/** Gives a certificate another state. Undefined if it is in none of the states `from`, or not this charger's if one is named. */
export function changeState(
  tx: Db,
  id: string,
  from: readonly CertificateState[],
  state: Exclude<CertificateState, "PENDING_INSTALL">,
  chargerId?: string,
): Promise<CertificateRow | undefined> {
  const query = tx
    .updateTable("certificate")
    .set({
      state,
      ...(state === "INSTALLED" ? { install_time: sql<Date>`now()` } : {}),
      ...(state === "REVOKED" ? { revoke_time: sql<Date>`now()` } : {}),
    })
    .where("id", "=", id)
    .where("state", "in", from)
    .returning(columns);
  return (chargerId === undefined ? query : query.where("charger_id", "=", chargerId)).executeTakeFirst();
}

/** Makes the certificates of a charger, other than this one, superseded. */
export function supersedeOthers(tx: Db, chargerId: string, id: string): Promise<CertificateRow[]> {
  return tx
    .updateTable("certificate")
    .set({ state: "SUPERSEDED" })
    .where("charger_id", "=", chargerId)
    .where("id", "!=", id)
    .where("state", "=", "INSTALLED")
    .returning(columns)
    .execute();
}

/** Revokes every certificate of a charger. */
export function revokeAll(tx: Db, chargerId: string): Promise<CertificateRow[]> {
  return tx
    .updateTable("certificate")
    .set({ state: "REVOKED", revoke_time: sql<Date>`now()` })
    .where("charger_id", "=", chargerId)
    .where("state", "!=", "REVOKED")
    .returning(columns)
    .execute();
}

/** A renewal that was begun so long ago, without a command to show for it, is begun anew. */
const BEGUN_MINUTES = 10;

/**
 * Begins the renewal of installed certificates of connected chargers that end within `days`, or within a third of their time if that is less, and
 * answers them. What would end with the authority, `limit`, is left out: another would, too. Nobody else gets the same ones.
 */
export function beginRenewals(db: Db, now: Date, days: number, limit: Date): Promise<CertificateRow[]> {
  return db
    .updateTable("certificate")
    .set({ renew_time: sql<Date>`now()` })
    .where("id", "in", ({ selectFrom }) =>
      selectFrom("certificate")
        .innerJoin("charger", "charger.id", "certificate.charger_id")
        .select("certificate.id")
        .where("certificate.state", "=", "INSTALLED")
        .where("renew_command_id", "is", null)
        .where("charger.replica_id", "is not", null)
        .where("charger.registration", "=", "ACCEPTED")
        .where("not_after", ">", now)
        .where("not_after", "<", limit)
        .where(sql<boolean>`not_after - least(make_interval(days => ${days}), (not_after - not_before) / 3) <= ${now}`)
        .where(sql<boolean>`(renew_time is null or renew_time < now() - make_interval(mins => ${BEGUN_MINUTES}))`)
        .forUpdate("certificate")
        .skipLocked(),
    )
    .returning(columns)
    .execute();
}

/** Ties a renewal to the command that asks for it. */
export async function setRenewCommand(tx: Db, id: string, commandId: string): Promise<void> {
  await tx.updateTable("certificate").set({ renew_command_id: commandId }).where("id", "=", id).execute();
}

/** Makes a renewal whose command never reached the charger count as not begun. */
export async function unsetRenewal(tx: Db, commandId: string): Promise<void> {
  await tx.updateTable("certificate").set({ renew_command_id: null, renew_time: null }).where("renew_command_id", "=", commandId).execute();
}
