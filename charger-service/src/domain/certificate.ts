import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import {
  certificateById,
  changeState,
  pendingByCommand,
  revokeAll,
  supersedeOthers,
  unsetCertificateCommand,
  unsetRenewal,
} from "../db/certificate.ts";
import type { CertificateRow, CertificateState } from "../db/certificate-tables.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { certificateUpdated } from "../events.ts";

/** Makes a certificate that is in one of the states `from` installed, and those of its charger before it superseded. */
export async function markInstalled(tx: Db, id: string, from: readonly CertificateState[]): Promise<void> {
  const installed = await changeState(tx, id, from, "INSTALLED");
  if (installed === undefined) return;
  for (const row of [installed, ...(await supersedeOthers(tx, installed.charger_id, id))]) await certificateUpdated(tx, row);
}

/** A command has ended: if it carried a certificate, or asked for one, that has come as far as this says. */
export async function settleCertificate(tx: Db, command: CommandRow): Promise<void> {
  // What never left us may be asked again.
  if (command.send_time === null) await unsetRenewal(tx, command.id);
  const certificate = await pendingByCommand(tx, command.id);
  if (certificate === undefined) return;
  if (command.state === "ACCEPTED") return markInstalled(tx, certificate.id, ["PENDING_INSTALL"]);
  if (command.send_time === null) return unsetCertificateCommand(tx, certificate.id);
  if (command.state !== "REJECTED") return;
  // After a time-out or a lost connection the charger may have it all the same.
  const rejected = await changeState(tx, certificate.id, ["PENDING_INSTALL"], "REJECTED");
  if (rejected !== undefined) await certificateUpdated(tx, rejected);
}

/** Revokes a certificate. NOT_FOUND if this charger has none of this id; nothing happens to one that is revoked already. */
export function revokeCertificate(db: Db, chargerId: string, id: string): Promise<CertificateRow> {
  return transact(db, async (tx) => {
    const row = await changeState(tx, id, ["PENDING_INSTALL", "INSTALLED", "REJECTED", "SUPERSEDED"], "REVOKED", chargerId);
    if (row !== undefined) await certificateUpdated(tx, row);
    const certificate = row ?? (await certificateById(tx, chargerId, id));
    if (certificate === undefined) throw noCertificate(chargerId, id);
    await recordAudit(tx, { resource: `chargers/${chargerId}`, details: { certificate: id, serialNumber: certificate.serial_number } });
    return certificate;
  });
}

/** Revokes what was issued to a charger that is forgotten, so that whoever has it is not taken for the next one of this identity. */
export async function revokeCertificatesOf(tx: Db, chargerId: string): Promise<void> {
  for (const row of await revokeAll(tx, chargerId)) await certificateUpdated(tx, row);
}

/** NOT_FOUND for a certificate. */
export function noCertificate(chargerId: string, id: string): AppError {
  return new AppError("notFound", "CERTIFICATE_NOT_FOUND", `Charger ${chargerId} has no certificate ${id}.`);
}
