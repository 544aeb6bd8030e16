import { createHash, X509Certificate } from "node:crypto";
import type { HashAlgorithm } from "../db/certificate-tables.ts";
import type { RootCertificate } from "../db/installed-certificate.ts";
import { oneLine } from "./authority.ts";

const algorithms: readonly HashAlgorithm[] = ["SHA256", "SHA384", "SHA512"];

/** One certificate and nothing beside it. */
const PEM = /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/;

/** A certificate as PEM, and by what chargers may call it. Undefined if it is none. */
export function readRoot(pem: string): RootCertificate | undefined {
  const certificate = parse(pem);
  if (certificate === undefined) return undefined;
  const issuerName = issuerNameOf(certificate.raw);
  return {
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    subject: oneLine(certificate.subject),
    notAfter: certificate.validToDate,
    certificate: pem,
    names: algorithms.map((hashAlgorithm) => ({
      hashAlgorithm,
      issuerNameHash: createHash(hashAlgorithm).update(issuerName).digest("hex"),
      serialNumber: certificate.serialNumber.toLowerCase().replace(/^0+/, ""),
    })),
  };
}

/** What keeps a certificate from being installed as a root, in words that go behind the name of its field; undefined if nothing does. */
export function rootFault(pem: string, now: Date): string | undefined {
  const certificate = parse(pem);
  if (certificate === undefined) return "must be one X.509 certificate as PEM";
  if (!certificate.ca) return "must be the certificate of an authority";
  const { validFromDate, validToDate } = certificate;
  if (validToDate <= now) return `ended on ${validToDate.toISOString()}`;
  return validFromDate > now ? `is good only from ${validFromDate.toISOString()}` : undefined;
}

function parse(pem: string): X509Certificate | undefined {
  if (!PEM.test(pem)) return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** The issuer's name as a certificate has it, in DER: RFC 5280 §4.1, behind version, serial number and signature algorithm. */
function issuerNameOf(certificate: Buffer): Buffer {
  const tbs = contentOf(contentOf(certificate));
  const VERSION = 0xa0;
  let rest = tbs[0] === VERSION ? tbs.subarray(lengthOf(tbs)) : tbs;
  for (let skipped = 0; skipped < 2; skipped++) rest = rest.subarray(lengthOf(rest));
  return rest.subarray(0, lengthOf(rest));
}

/** How long the first element of DER is, with its tag and length. OpenSSL has read it, so it is sound. */
function lengthOf(der: Buffer): number {
  const { header, content } = headOf(der);
  return header + content;
}

function contentOf(der: Buffer): Buffer {
  const { header, content } = headOf(der);
  return der.subarray(header, header + content);
}

function headOf(der: Buffer): { header: number; content: number } {
  const first = der.readUInt8(1);
  if (first < 0x80) return { header: 2, content: first };
  const bytes = first & 0x7f;
  return { header: 2 + bytes, content: der.readUIntBE(2, bytes) };
}
