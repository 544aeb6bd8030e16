import { constants, createPrivateKey, createSign, X509Certificate } from "node:crypto";
import { badRequest } from "@chargemesh/kit/errors";

/** Signs firmware with a key of ours. */
export interface FirmwareSigner {
  /** That of the key, as PEM. */
  readonly certificate: string;
  /** In base64, over the SHA-256: RSA-PSS or ECDSA, by the kind of the key (security whitepaper, L01). */
  sign(content: AsyncIterable<Buffer>): Promise<string>;
}

/** Keys and certificates as PEM. Throws if they are not, or do not belong together. */
export function makeFirmwareSigner(keyPem: string, certificatePem: string): FirmwareSigner {
  const key = createPrivateKey(keyPem);
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(key)) throw new Error("the certificate is not that of the key");
  const isRsa = key.asymmetricKeyType === "rsa" || key.asymmetricKeyType === "rsa-pss";
  if (!isRsa && key.asymmetricKeyType !== "ec") throw new Error(`firmware is not signed with keys of ${key.asymmetricKeyType}`);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return {
    certificate: certificate.toString(),
    async sign(content) {
      const signing = createSign("sha256");
      for await (const part of content) signing.update(part);
      return signing.sign(isRsa ? { key, ...pss } : key, "base64");
    },
  };
}

/** A certificate as PEM. INVALID_ARGUMENT if `text` is none. */
export function readCertificate(field: string, text: string): string {
  try {
    return new X509Certificate(text).toString();
  } catch {
    throw badRequest([{ field, description: "must be a certificate as PEM" }]);
  }
}
