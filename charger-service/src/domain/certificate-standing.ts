import { transact } from "@chargemesh/kit/postgres";
import { certificateByFingerprint } from "../db/certificate.ts";
import type { Db } from "../db/schema.ts";
import { markInstalled } from "./certificate.ts";

/** What is known of a certificate that a charger shows. UNKNOWN is one that we have not issued. */
export type CertificateStanding = "GOOD" | "REVOKED" | "UNKNOWN";

/**
 * Whether a certificate that a charger shows was revoked (security whitepaper, A00.FR.702). `fingerprint` is its SHA-256 in hexadecimal digits,
 * with colons or without, as TLS tells it (`fingerprint256`). That it is signed by an authority that counts, has not ended and is for this charger
 * has to be seen by whoever asks: with OCPP_CA_CERT as the authority of the handshake, UNKNOWN is one that was signed by it elsewhere.
 */
export async function certificateStanding(db: Db, fingerprint: string): Promise<CertificateStanding> {
  const certificate = await certificateByFingerprint(db, plain(fingerprint));
  if (certificate === undefined) return "UNKNOWN";
  return certificate.state === "REVOKED" ? "REVOKED" : "GOOD";
}

/**
 * A charger was let in with this certificate, so it has it, whatever it said when it was sent there. Called once it is let in; one that is not ours,
 * or that is known to be installed, changes nothing.
 */
export async function certificateShown(db: Db, fingerprint: string): Promise<void> {
  const certificate = await certificateByFingerprint(db, plain(fingerprint));
  if (certificate === undefined || !(certificate.state === "PENDING_INSTALL" || certificate.state === "REJECTED")) return;
  await transact(db, (tx) => markInstalled(tx, certificate.id, ["PENDING_INSTALL", "REJECTED"]));
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
