import { sql } from "kysely";
import type { HashAlgorithm, InstalledCertificateRow, RootType } from "./certificate-tables.ts";
import type { Db } from "./schema.ts";

/** By what a charger calls a certificate, in hexadecimal digits. */
export interface CertificateName {
  hashAlgorithm: HashAlgorithm;
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
}

/** One that a charger has, and what we know of it. */
export type InstalledCertificateView = InstalledCertificateRow & {
  subject: string | null;
  not_after: Date | null;
  fingerprint: string | null;
};

function selectInstalled(db: Db) {
  return db
    .selectFrom("installed_certificate")
    .leftJoin("root_certificate_hash", (join) =>
      join
        .onRef("root_certificate_hash.hash_algorithm", "=", "installed_certificate.hash_algorithm")
        // The issuer's name and the serial number are one certificate's and no other's; chargers differ in how they hash the key.
        .on(sql<boolean>`root_certificate_hash.issuer_name_hash = lower(installed_certificate.issuer_name_hash)`)
        .on(sql<boolean>`root_certificate_hash.serial_number = ltrim(lower(installed_certificate.serial_number), '0')`),
    )
    .leftJoin("root_certificate", "root_certificate.fingerprint", "root_certificate_hash.fingerprint")
    .distinctOn("installed_certificate.id")
    .select([
      "installed_certificate.id",
      "charger_id",
      "type",
      "installed_certificate.hash_algorithm",
      "installed_certificate.issuer_name_hash",
      "issuer_key_hash",
      "installed_certificate.serial_number",
      "root_certificate.subject",
      "root_certificate.not_after",
      "root_certificate.fingerprint",
    ]);
}

/** What a charger has, as it last said. */
export function installedCertificates(db: Db, chargerId: string): Promise<InstalledCertificateView[]> {
  return selectInstalled(db).where("charger_id", "=", chargerId).execute();
}

/** Undefined if this charger has none of this id. */
export function installedCertificateById(db: Db, chargerId: string, id: string): Promise<InstalledCertificateView | undefined> {
  return selectInstalled(db).where("installed_certificate.id", "=", id).where("charger_id", "=", chargerId).executeTakeFirst();
}

/** When a charger last told of each type. */
export async function listTimes(db: Db, chargerId: string): Promise<Partial<Record<RootType, Date>>> {
  const rows = await db
    .selectFrom("installed_certificate_list")
    .select(["type", "list_time"])
    .where("charger_id", "=", chargerId)
    .execute();
  return Object.fromEntries(rows.map(({ type, list_time }) => [type, list_time]));
}

/** Keeps which certificates of a type a charger has: these and no others. */
export async function replaceInstalled(tx: Db, chargerId: string, type: RootType, names: readonly CertificateName[]): Promise<void> {
  await tx
    .insertInto("installed_certificate_list")
    .values({ charger_id: chargerId, type, list_time: sql<Date>`now()` })
    .onConflict((conflict) => conflict.columns(["charger_id", "type"]).doUpdateSet({ list_time: sql<Date>`now()` }))
    .execute();
  const rows = names.map((name) => ({ charger_id: chargerId, type, ...columnsOf(name) }));
  let gone = tx.deleteFrom("installed_certificate").where("charger_id", "=", chargerId).where("type", "=", type);
  if (rows.length > 0) {
    await tx
      .insertInto("installed_certificate")
      .values(rows)
      .onConflict((conflict) => conflict.constraint("installed_certificate_is_listed_once").doNothing())
      .execute();
    gone = gone.where(({ not, or, and }) => not(or(names.map((name) => and(columnsOf(name))))));
  }
  await gone.execute();
}

/** Forgets a certificate that a charger has not any more, of whatever type. */
export async function removeInstalled(tx: Db, chargerId: string, name: CertificateName): Promise<void> {
  await tx
    .deleteFrom("installed_certificate")
    .where("charger_id", "=", chargerId)
    .where(({ and }) => and(columnsOf(name)))
    .execute();
}

function columnsOf({ hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }: CertificateName) {
  return {
    hash_algorithm: hashAlgorithm,
    issuer_name_hash: issuerNameHash,
    issuer_key_hash: issuerKeyHash,
    serial_number: serialNumber,
  };
}

/** A root certificate, and by what chargers may call it. */
export interface RootCertificate {
  fingerprint: string;
  subject: string;
  notAfter: Date;
  certificate: string;
  names: readonly Omit<CertificateName, "issuerKeyHash">[];
}

/** Keeps a root certificate, so that chargers' lists can be read. */
export async function keepRootCertificate(tx: Db, { fingerprint, subject, notAfter, certificate, names }: RootCertificate): Promise<void> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto("root_certificate")
    .values({ fingerprint, subject, not_after: notAfter, certificate })
    .onConflict((conflict) => conflict.column("fingerprint").doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return;
  await tx
    .insertInto("root_certificate_hash")
    .values(
      names.map(({ hashAlgorithm, issuerNameHash, serialNumber }) => ({
        hash_algorithm: hashAlgorithm,
        issuer_name_hash: issuerNameHash,
        serial_number: serialNumber,
        fingerprint,
      })),
    )
    .execute();
}
