import type { Certificate } from "@chargemesh/contracts/charger/v1/certificate";
import type { CertificateRequest } from "@chargemesh/contracts/charger/v1/certificate_request";
import type { InstalledCertificate } from "@chargemesh/contracts/charger/v1/installed_certificate";
import type { SecurityEvent } from "@chargemesh/contracts/charger/v1/security_event";
import type { CertificateRequestView } from "../db/certificate-request.ts";
import type { CertificateRow, SecurityEventRow } from "../db/certificate-tables.ts";
import type { InstalledCertificateView } from "../db/installed-certificate.ts";

/** `now` says whether its time is over; one that was revoked stays so. */
export function toCertificate(row: CertificateRow, now: Date): Certificate {
  return {
    id: row.id,
    chargerId: row.charger_id,
    state: row.state !== "REVOKED" && row.not_after <= now ? "EXPIRED" : row.state,
    serialNumber: row.serial_number,
    fingerprint: row.fingerprint,
    subject: row.subject,
    issuer: row.issuer,
    notBefore: row.not_before,
    notAfter: row.not_after,
    chain: row.chain,
    requestId: row.request_id ?? "",
    commandId: row.command_id ?? "",
    installTime: row.install_time ?? undefined,
    revokeTime: row.revoke_time ?? undefined,
    renewTime: row.renew_time ?? undefined,
    renewCommandId: row.renew_command_id ?? "",
    createTime: row.create_time,
  };
}

export function toCertificateRequest(row: CertificateRequestView): CertificateRequest {
  return {
    id: row.id,
    chargerId: row.charger_id,
    state: row.state,
    reason: row.reason,
    subject: row.subject,
    key: row.key,
    csr: row.csr,
    certificateId: row.certificate_id ?? "",
    createTime: row.create_time,
    decideTime: row.decide_time ?? undefined,
  };
}

export function toInstalledCertificate(row: InstalledCertificateView): InstalledCertificate {
  return {
    id: row.id,
    chargerId: row.charger_id,
    type: row.type,
    hashAlgorithm: row.hash_algorithm,
    issuerNameHash: row.issuer_name_hash,
    issuerKeyHash: row.issuer_key_hash,
    serialNumber: row.serial_number,
    subject: row.subject ?? "",
    notAfter: row.not_after ?? undefined,
    fingerprint: row.fingerprint ?? "",
  };
}

export function toSecurityEvent(row: SecurityEventRow): SecurityEvent {
  return {
    id: String(row.id),
    chargerId: row.charger_id,
    type: row.type,
    critical: row.is_critical,
    techInfo: row.tech_info,
    time: row.time,
    createTime: row.create_time,
  };
}
