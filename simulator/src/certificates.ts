// The library finds its parts by metadata that decorators write.
import "reflect-metadata";
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { Pkcs10CertificateRequestGenerator, X509Certificate as Readable } from "@peculiar/x509";
import { textOf } from "./configuration.ts";
import { ask } from "./link.ts";
import type { Handled, Request } from "./messages.ts";
import { reportSecurity } from "./security-log.ts";
import type { Charger } from "./state.ts";

type Use = Request<"InstallCertificate">["certificateType"];
type Name = Request<"DeleteCertificate">["certificateHashData"];

/** What a charger trusts, and what it is. */
export interface Certificates {
  readonly roots: { readonly use: Use; readonly pem: string }[];
  /** The key that a certificate was asked for. */
  pendingKey: KeyObject | undefined;
  /** Its own, as PEM, with the key. */
  own: { readonly chain: string; readonly key: KeyObject } | undefined;
}

export const noCertificates = (): Certificates => ({ roots: [], pendingKey: undefined, own: undefined });

/** As CertificateStoreMaxLength would have it. */
const ROOTS_MAX = 10;

/** Security whitepaper, M05. */
export function installCertificate(charger: Charger, request: Request<"InstallCertificate">): Handled<"InstallCertificate"> {
  const { certificateType: use, certificate: pem } = request;
  const { roots } = charger.certificates;
  const certificate = read(pem);
  if (certificate === undefined || !isInTime(charger, certificate)) {
    const type = use === "CentralSystemRootCertificate" ? "InvalidCentralSystemCertificate" : "InvalidFirmwareSigningCertificate";
    return { answer: { status: "Rejected" }, after: () => reportSecurity(charger, type) };
  }
  const isThere = roots.some((root) => root.use === use && read(root.pem)?.fingerprint256 === certificate.fingerprint256);
  if (!isThere && roots.length >= ROOTS_MAX) return { answer: { status: "Failed" } };
  if (!isThere) roots.push({ use, pem });
  return { answer: { status: "Accepted" } };
}

/** Security whitepaper, M03. */
export function getInstalledCertificateIds(
  { certificates }: Charger,
  { certificateType }: Request<"GetInstalledCertificateIds">,
): Handled<"GetInstalledCertificateIds"> {
  const certificateHashData = certificates.roots.filter(({ use }) => use === certificateType).map(({ pem }) => nameOf(pem, "SHA256"));
  return { answer: certificateHashData.length === 0 ? { status: "NotFound" } : { status: "Accepted", certificateHashData } };
}

/** Security whitepaper, M04. */
export function deleteCertificate(
  { certificates: { roots } }: Charger,
  { certificateHashData: wanted }: Request<"DeleteCertificate">,
): Handled<"DeleteCertificate"> {
  const at = roots.findIndex(({ pem }) => isSame(nameOf(pem, wanted.hashAlgorithm), wanted));
  if (at === -1) return { answer: { status: "NotFound" } };
  roots.splice(at, 1);
  return { answer: { status: "Accepted" } };
}

/** Makes a key and asks for a certificate of it, named after the charger and the organization of CpoName (security whitepaper, A02). */
export async function requestCertificate(charger: Charger): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const organization = textOf(charger, "CpoName");
  const name = [{ CN: [charger.id] }, ...(organization === "" ? [] : [{ O: [organization] }])];
  const keys = {
    publicKey: await publicKey.toCryptoKey(algorithm, true, ["verify"]),
    privateKey: await privateKey.toCryptoKey(algorithm, false, ["sign"]),
  };
  const csr = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });
  charger.certificates.pendingKey = privateKey;
  ask(charger.link, "SignCertificate", { csr: csr.toString("pem") }, () => {});
}

/** Security whitepaper, A02: it must be of the key that it was asked for, of this charger, and good now. */
export function certificateSigned(charger: Charger, { certificateChain }: Request<"CertificateSigned">): Handled<"CertificateSigned"> {
  const { certificates } = charger;
  const { pendingKey: key } = certificates;
  const leaf = read(certificateChain);
  const isOurs = key !== undefined && leaf?.checkPrivateKey(key) === true && leaf.subject.split("\n").includes(`CN=${charger.id}`);
  if (leaf === undefined || !isOurs || !isInTime(charger, leaf)) {
    return { answer: { status: "Rejected" }, after: () => reportSecurity(charger, "InvalidChargePointCertificate") };
  }
  certificates.own = { chain: certificateChain, key };
  certificates.pendingKey = undefined;
  return { answer: { status: "Accepted" } };
}

/** Whether a certificate is that of a root of this use, or signed by one. With no root at all, everything is trusted. */
export function trusts({ certificates }: Charger, use: Use, certificate: X509Certificate): boolean {
  const roots = certificates.roots.filter((root) => root.use === use).map(({ pem }) => new X509Certificate(pem));
  if (roots.length === 0) return true;
  return roots.some((root) => root.fingerprint256 === certificate.fingerprint256 || certificate.verify(root.publicKey));
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isInTime({ time }: Charger, { validFromDate, validToDate }: X509Certificate): boolean {
  return validFromDate.getTime() <= time.now() && time.now() <= validToDate.getTime();
}

/** The name by which OCPP calls a root: it is its own issuer. */
function nameOf(pem: string, hashAlgorithm: Name["hashAlgorithm"]): Name {
  const certificate = new Readable(pem);
  const hash = (bytes: Buffer): string => createHash(hashAlgorithm).update(bytes).digest("hex");
  return {
    hashAlgorithm,
    issuerNameHash: hash(Buffer.from(certificate.issuerName.toArrayBuffer())),
    issuerKeyHash: hash(bitsOf(Buffer.from(certificate.publicKey.rawData))),
    serialNumber: certificate.serialNumber.toUpperCase(),
  };
}

/** The key alone, without its algorithm: what stands in the BIT STRING of a SubjectPublicKeyInfo (RFC 6960, section 4.1.1). */
function bitsOf(der: Buffer): Buffer {
  const contentAt = (at: number): number => at + 2 + (der.readUInt8(at + 1) < 128 ? 0 : der.readUInt8(at + 1) & 127);
  const algorithm = contentAt(0);
  const bits = contentAt(algorithm) + der.readUInt8(algorithm + 1);
  // Its first byte counts the bits at the end that mean nothing.
  return der.subarray(contentAt(bits) + 1);
}

function isSame(a: Name, b: Name): boolean {
  const bare = (serial: string): string => serial.replace(/^0+/, "").toLowerCase();
  const same = (name: "issuerNameHash" | "issuerKeyHash"): boolean => a[name].toLowerCase() === b[name].toLowerCase();
  return same("issuerNameHash") && same("issuerKeyHash") && bare(a.serialNumber) === bare(b.serialNumber);
}
