import type { Generated, GeneratedAlways, Selectable } from "kysely";

// The tables of certificates and security events; migration 0011 has them.

export type CertificateRequestState = "PENDING" | "SIGNED" | "REJECTED" | "REPLACED";
export type CertificateState = "PENDING_INSTALL" | "INSTALLED" | "REJECTED" | "SUPERSEDED" | "REVOKED";
export type RootType = "CENTRAL_SYSTEM_ROOT" | "MANUFACTURER_ROOT";
export type HashAlgorithm = "SHA256" | "SHA384" | "SHA512";

interface CertificateRequestTable {
  id: Generated<string>;
  charger_id: string;
  csr: string;
  state: CertificateRequestState;
  reason: Generated<string>;
  subject: Generated<string>;
  key: Generated<string>;
  user_id: string | null;
  create_time: Generated<Date>;
  decide_time: Date | null;
  number: GeneratedAlways<number>;
}

interface CertificateTable {
  id: Generated<string>;
  charger_id: string;
  request_id: string | null;
  state: Generated<CertificateState>;
  serial_number: string;
  fingerprint: string;
  subject: string;
  issuer: string;
  not_before: Date;
  not_after: Date;
  chain: string;
  command_id: string | null;
  install_time: Date | null;
  revoke_time: Date | null;
  renew_time: Date | null;
  renew_command_id: string | null;
  create_time: Generated<Date>;
  number: GeneratedAlways<number>;
}

interface RootCertificateTable {
  fingerprint: string;
  subject: string;
  not_after: Date;
  certificate: string;
  create_time: Generated<Date>;
}

interface RootCertificateHashTable {
  hash_algorithm: HashAlgorithm;
  issuer_name_hash: string;
  serial_number: string;
  fingerprint: string;
}

interface InstalledCertificateListTable {
  charger_id: string;
  type: RootType;
  list_time: Date;
}

interface InstalledCertificateTable {
  id: Generated<string>;
  charger_id: string;
  type: RootType;
  hash_algorithm: HashAlgorithm;
  issuer_name_hash: string;
  issuer_key_hash: string;
  serial_number: string;
}

interface SecurityEventTable {
  id: GeneratedAlways<number>;
  charger_id: string;
  type: string;
  is_critical: boolean;
  tech_info: string;
  time: Date;
  create_time: Generated<Date>;
}

export interface CertificateTables {
  certificate_request: CertificateRequestTable;
  certificate: CertificateTable;
  root_certificate: RootCertificateTable;
  root_certificate_hash: RootCertificateHashTable;
  installed_certificate_list: InstalledCertificateListTable;
  installed_certificate: InstalledCertificateTable;
  security_event: SecurityEventTable;
}

export type CertificateRequestRow = Selectable<CertificateRequestTable>;
export type CertificateRow = Selectable<CertificateTable>;
export type InstalledCertificateRow = Selectable<InstalledCertificateTable>;
export type SecurityEventRow = Selectable<SecurityEventTable>;
