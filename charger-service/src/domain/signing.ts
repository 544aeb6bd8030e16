// The library finds its parts by metadata that decorators write. Loaded when a charger first asks: it takes some 25 MB.
import "reflect-metadata";
import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as Parsed,
  Pkcs10CertificateRequest,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type Authority, oneLine } from "./authority.ts";

/** What is wrong with a request for a certificate. */
export type RequestFault =
  | "MALFORMED_REQUEST"
  | "WRONG_SIGNATURE"
  | "WEAK_SIGNATURE"
  | "WEAK_KEY"
  | "UNSUPPORTED_KEY"
  | "WRONG_SUBJECT"
  | "WRONG_ORGANIZATION";

/** A request that may be signed. */
export interface SoundRequest {
  readonly parsed: Pkcs10CertificateRequest;
  readonly subject: string;
  /** Such as "EC P-256" and "RSA 2048". */
  readonly key: string;
}

export interface Issued {
  serialNumber: string;
  fingerprint: string;
  subject: string;
  issuer: string;
  notBefore: Date;
  notAfter: Date;
  /** As PEM: the certificate, and what the authority puts behind it. */
  chain: string;
}

/** One request and nothing beside it. */
const PEM = /^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/;
/** Security whitepaper, A00.FR.501 to 503: 112 bits of security. Larger ones cost more to check than anybody gains. */
const RSA_BITS = { min: 2_048, max: 8_192 };
/** By OpenSSL's names. P-224, which the whitepaper allows as well, is not known to Web Crypto. */
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
const HASHES = ["SHA-256", "SHA-384", "SHA-512"];

/** Checks a PKCS#10 request: that its sender has the key, that this is strong, and that it is for `name`, of `organization` unless that is empty. */
export async function checkRequest(text: string, name: string, organization: string): Promise<SoundRequest | RequestFault> {
  const parsed = parse(text);
  if (parsed === undefined) return "MALFORMED_REQUEST";
  const key = keyOf(parsed);
  if (typeof key === "string") return key;
  const { hash } = parsed.signatureAlgorithm;
  if (hash === undefined || !HASHES.includes(hash.name)) return "WEAK_SIGNATURE";
  // What Web Crypto cannot do with key and signature is as good as a wrong one.
  if (!(await parsed.verify().catch(() => false))) return "WRONG_SIGNATURE";
  const names = parsed.subjectName.getField("CN");
  if (names.length !== 1 || names[0] !== name) return "WRONG_SUBJECT";
  const organizations = parsed.subjectName.getField("O");
  if (organization !== "" && !(organizations.length === 1 && organizations[0] === organization)) return "WRONG_ORGANIZATION";
  return { parsed, subject: parsed.subject, key: key.name };
}

function parse(text: string): Pkcs10CertificateRequest | undefined {
  const [, base64] = PEM.exec(text) ?? [];
  if (base64 === undefined) return undefined;
  try {
    const parsed = new Pkcs10CertificateRequest(Buffer.from(base64, "base64"));
    // What is in it is read only when it is asked for.
    return [parsed.subjectName, parsed.signatureAlgorithm, parsed.publicKey].length > 0 ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function keyOf({ publicKey }: Pkcs10CertificateRequest): { name: string } | "WEAK_KEY" | "UNSUPPORTED_KEY" {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey.rawData), format: "der", type: "spki" });
  } catch {
    return "UNSUPPORTED_KEY";
  }
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    if (modulusLength < RSA_BITS.min) return "WEAK_KEY";
    return modulusLength > RSA_BITS.max ? "UNSUPPORTED_KEY" : { name: `RSA ${modulusLength}` };
  }
  const curve = key.asymmetricKeyType === "ec" ? CURVES[namedCurve] : undefined;
  return curve === undefined ? "UNSUPPORTED_KEY" : { name: `EC ${curve}` };
}

const DAY_MS = 24 * 3_600_000;
/** Clocks may differ by so much. */
const SKEW_MS = 3_600_000;

/** Signs a request: a certificate with which a charger is a TLS client and nothing else, for `days` or until the authority ends. */
export async function signRequest(authority: Authority, { parsed }: SoundRequest, now: Date, days: number): Promise<Issued> {
  const issuer = new Parsed(authority.certificate.raw);
  const notAfter = new Date(Math.min(now.getTime() + days * DAY_MS, authority.notAfter.getTime()));
  const signed = await X509CertificateGenerator.create({
    // Positive and of 16 bytes, for OCPP names certificates by at most 20.
    serialNumber: `01${randomBytes(15).toString("hex")}`,
    subject: parsed.subjectName,
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(now.getTime() - SKEW_MS, authority.certificate.validFromDate.getTime())),
    notAfter,
    publicKey: parsed.publicKey,
    ...(await signingKey(authority.key)),
    // What the request says of extensions does not count.
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      await SubjectKeyIdentifierExtension.create(parsed.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  const certificate = new X509Certificate(Buffer.from(signed.rawData));
  return {
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    subject: signed.subject,
    issuer: oneLine(certificate.issuer),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    chain: certificate.toString() + authority.chain,
  };
}

/** The authority's key as Web Crypto wants it, and how it signs. */
async function signingKey(key: KeyObject) {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  const hash = { "P-384": "SHA-384", "P-521": "SHA-512" }[curve ?? ""] ?? "SHA-256";
  const algorithm = curve === undefined ? { name: "RSASSA-PKCS1-v1_5", hash } : { name: "ECDSA", namedCurve: curve };
  return {
    signingKey: await crypto.subtle.importKey("pkcs8", key.export({ format: "der", type: "pkcs8" }), algorithm, false, ["sign"]),
    signingAlgorithm: curve === undefined ? algorithm : { name: "ECDSA", hash },
  };
}
