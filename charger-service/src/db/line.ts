import { toColumn } from "./text.ts";

/** What a handshake came over. */
export interface Line {
  /** Whether nobody on the way could read it. */
  isSecure: boolean;
  /** As OpenSSL writes them: "TLSv1.3", "TLS_AES_128_GCM_SHA256". Empty in plaintext, and if TLS ended before it reached us. */
  tlsVersion: string;
  tlsCipher: string;
  /** Undefined if none was shown. */
  certificate: ShownCertificate | undefined;
}

/** A client certificate. */
export interface ShownCertificate {
  subject: string;
  serialNumber: string;
  expireTime: Date;
  /** Whom it is for. */
  names: readonly string[];
  /** Why it proves nothing, as OpenSSL calls it: "CERT_HAS_EXPIRED". Empty if an authority that we trust stands behind it. */
  fault: string;
}

/** The same as columns of a connection. */
export function lineColumns({ tlsVersion, tlsCipher, certificate }: Line) {
  return {
    tls_version: tlsVersion,
    tls_cipher: tlsCipher,
    certificate_subject: toColumn(certificate?.subject ?? ""),
    certificate_serial_number: certificate?.serialNumber ?? "",
    certificate_expire_time: certificate?.expireTime ?? null,
  };
}
