import type { RootType } from "../db/certificate-tables.ts";
import type { CertificateName } from "../db/installed-certificate.ts";

/** What is asked of chargers about certificates. */
export type CertificateQuestion =
  /** Make a new key, and ask for a certificate of it. */
  | { readonly kind: "requestCertificate" }
  /** Prove yourself with this certificate; as PEM, with what stands between it and the root behind it. */
  | { readonly kind: "takeCertificate"; readonly chain: string }
  /** Trust this root certificate; as PEM. */
  | { readonly kind: "installRoot"; readonly type: RootType; readonly certificate: string }
  /** Say which root certificates of a type you trust. */
  | { readonly kind: "listRoots"; readonly type: RootType }
  /** Trust this root certificate no more. */
  | { readonly kind: "deleteRoot"; readonly name: CertificateName };
