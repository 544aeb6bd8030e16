// The library finds its parts by metadata that decorators write.
import "reflect-metadata";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequestGenerator,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A key as Web Crypto wants it, and how it signs. */
interface Signer {
  keys: { publicKey: CryptoKey; privateKey: CryptoKey };
  algorithm: { name: string; hash?: string; namedCurve?: string };
  /** As PEM. */
  pem: string;
}

type KeyKind = "P-256" | "P-384" | "RSA-1024" | "RSA-2048" | "Ed25519";

async function makeSigner(kind: KeyKind = "P-256", hash = "SHA-256"): Promise<Signer> {
  const { publicKey, privateKey } = pairOf(kind);
  const algorithm = algorithmOf(kind, hash);
  const keys = {
    publicKey: await publicKey.toCryptoKey(algorithm, true, ["verify"]),
    privateKey: await privateKey.toCryptoKey(algorithm, false, ["sign"]),
  };
  return { keys, algorithm, pem: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
}

function pairOf(kind: KeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === "Ed25519") return generateKeyPairSync("ed25519");
  if (kind.startsWith("RSA")) return generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) });
  return generateKeyPairSync("ec", { namedCurve: kind });
}

function algorithmOf(kind: KeyKind, hash: string) {
  if (kind === "Ed25519") return { name: "Ed25519" };
  return kind.startsWith("RSA") ? { name: "RSASSA-PKCS1-v1_5", hash } : { name: "ECDSA", namedCurve: kind, hash };
}

/** A request of a charger for a certificate, and its private key; both as PEM. `subject` such as "CN=CP-1, O=Acme". */
export async function makeCsr(subject: string, kind?: KeyKind, hash?: string): Promise<{ csr: string; key: string }> {
  const { keys, algorithm, pem } = await makeSigner(kind, hash);
  const csr = await Pkcs10CertificateRequestGenerator.create({ name: subject, keys, signingAlgorithm: algorithm });
  return { csr: csr.toString("pem"), key: pem };
}

/** A request that carries the signature of another key. */
export async function makeForgedCsr(subject: string): Promise<{ csr: string }> {
  const [one, other] = await Promise.all([makeCsr(subject), makeCsr(subject)]);
  const bytesOf = ({ csr }: { csr: string }): Buffer => Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  // What comes before the last 60 bytes says, among more, what is signed; of two keys of a kind it is as long as each other.
  const bytes = Buffer.concat([bytesOf(one).subarray(0, -60), bytesOf(other).subarray(-60)]);
  return { csr: `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----` };
}

/** A root, and an authority below it that signs certificates of chargers. */
export interface TestAuthority {
  /** As PEM. */
  root: string;
  issuing: string;
  /** The settings of the service. */
  settings: { OCPP_CA_CERT: string; OCPP_CA_KEY: string };
  /** A certificate with its key that the root itself has signed, for somebody who is no charger. */
  besides(subject: string): Promise<{ cert: string; key: string }>;
}

const DAY_MS = 24 * 3_600_000;

/** Makes one, in files of its own. */
export async function makeTestAuthority(): Promise<TestAuthority> {
  const [top, below] = await Promise.all([makeSigner("P-384", "SHA-384"), makeSigner()]);
  const common = (pathLength: number) => ({
    serialNumber: `00${randomBytes(15).toString("hex")}`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 1_000 * DAY_MS),
    signingAlgorithm: top.algorithm,
    extensions: [
      new BasicConstraintsExtension(true, pathLength, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const root = await X509CertificateGenerator.createSelfSigned({ ...common(1), name: "CN=Root, O=Acme Charging", keys: top.keys });
  const issuing = await X509CertificateGenerator.create({
    ...common(0),
    subject: "CN=Chargers, O=Acme Charging",
    issuer: root.subjectName,
    publicKey: below.keys.publicKey,
    signingKey: top.keys.privateKey,
  });
  const dir = mkdtempSync(join(tmpdir(), "chargemesh-authority-"));
  const [certificateFile, keyFile] = [join(dir, "ca.crt"), join(dir, "ca.key")];
  writeFileSync(certificateFile, `${issuing.toString("pem")}\n${root.toString("pem")}\n`);
  writeFileSync(keyFile, below.pem);
  return {
    root: root.toString("pem"),
    issuing: issuing.toString("pem"),
    settings: { OCPP_CA_CERT: certificateFile, OCPP_CA_KEY: keyFile },
    async besides(subject) {
      const { keys, pem } = await makeSigner();
      const of = { subject, issuer: root.subjectName, publicKey: keys.publicKey, signingKey: top.keys.privateKey };
      const certificate = await X509CertificateGenerator.create({ ...common(0), ...of, extensions: [] });
      return { cert: certificate.toString("pem"), key: pem };
    },
  };
}

/** The order of the group of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same certificate, first of `pem` and signed on P-256, with the other signature that is as good: (r, n - s) for (r, s). Nobody needs a key for that. */
export function resigned(pem: string): string {
  const der = Buffer.from(new X509Certificate(pem).rawData);
  const contentAt = (at: number): { start: number; end: number } => {
    const first = der.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + more;
    return { start, end: start + (more === 0 ? first : der.readUIntBE(at + 2, more)) };
  };
  const whole = contentAt(0);
  const algorithm = contentAt(contentAt(whole.start).end);
  // The first byte of a bit string says how many bits at its end do not count.
  const r = contentAt(contentAt(contentAt(algorithm.end).start + 1).start);
  const s = contentAt(r.end);
  const other = (ORDER - BigInt(`0x${der.toString("hex", s.start, s.end)}`)).toString(16).padStart(64, "0");
  const number = tlv(0x02, Buffer.from(other >= "8" ? `00${other}` : other.replace(/^(00)+(?=[0-7])/, ""), "hex"));
  const pair = tlv(0x30, Buffer.concat([tlv(0x02, der.subarray(r.start, r.end)), number]));
  const signature = tlv(0x03, Buffer.concat([Buffer.of(0), pair]));
  return new X509Certificate(tlv(0x30, Buffer.concat([der.subarray(whole.start, algorithm.end), signature]))).toString("pem");
}

/** An element of DER of less than 64 KiB. */
function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

/** By what a charger calls a certificate that is its own issuer. */
export function nameOf(pem: string, hashAlgorithm: "SHA256" | "SHA384" | "SHA512") {
  const certificate = new X509Certificate(pem);
  const hash = (bytes: ArrayBuffer): string => createHash(hashAlgorithm).update(Buffer.from(bytes)).digest("hex");
  return {
    hashAlgorithm,
    issuerNameHash: hash(certificate.issuerName.toArrayBuffer()),
    issuerKeyHash: hash(certificate.publicKey.rawData),
    serialNumber: certificate.serialNumber.toUpperCase(),
  };
}
