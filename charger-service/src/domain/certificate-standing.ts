import { transact } from "@chargemesh/kit/postgres";
import { certificateBySerialNumber } from "../db/certificate.ts";
import type { Db } from "../db/schema.ts";
import { markInstalled } from "./certificate.ts";

/** What is known of a certificate that a charger shows. UNKNOWN is one that we have not issued, OF_ANOTHER one that we have to another charger. */
export type CertificateStanding = "GOOD" | "REVOKED" | "OF_ANOTHER" | "UNKNOWN";

/**
 * Whether a certificate that a charger shows was revoked (security whitepaper, A00.FR.702). It is known by its serial number, as TLS tells it, for
 * that is signed. A fingerprint is not: of a signature by ECDSA whoever likes makes another one that is as good, and so a certificate that nobody
 * has revoked. That it is signed by an authority that counts, has not ended and is for this charger has to be seen by whoever asks: with
 * OCPP_CA_CERT as the authority of the handshake, UNKNOWN is one that was signed by it elsewhere.
 */
export async function certificateStanding(db: Db, chargerId: string, serialNumber: string): Promise<CertificateStanding> {
  const certificate = await certificateBySerialNumber(db, serialNumber);
  if (certificate === undefined) return "UNKNOWN";
  if (certificate.state === "REVOKED") return "REVOKED";
  return certificate.charger_id === chargerId ? "GOOD" : "OF_ANOTHER";
}

/**
 * A charger was let in with this certificate, so it has it, whatever it said when it was sent there. Called once it is let in; one that is not ours,
 * or that is known to be installed, changes nothing.
 */
export async function certificateShown(db: Db, serialNumber: string): Promise<void> {
  const certificate = await certificateBySerialNumber(db, serialNumber);
  if (certificate === undefined || !(certificate.state === "PENDING_INSTALL" || certificate.state === "REJECTED")) return;
  await transact(db, (tx) => markInstalled(tx, certificate.id, ["PENDING_INSTALL", "REJECTED"]));
}
