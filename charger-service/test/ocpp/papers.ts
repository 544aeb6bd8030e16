// The library finds its parts by metadata that decorators write.
import "reflect-metadata";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its key, as PEM, as Node's TLS wants them. */
export interface Papers {
  cert: string;
  key: string;
}

/** What a certificate says. */
export interface Asked {
  /** "CN=CP-1, O=Acme". */
  subject: string;
  dnsNames?: readonly string[];
  /** Days from now. */
  from?: number;
  until?: number;
  usage?: "client" | "server";
  isRsa?: boolean;
}

/** Who signs certificates. */
export interface Office {
  /** Its own certificate, as PEM. */
  ca: string;
  issue(asked: Asked): Promise<Papers>;
}

const DAY_MS = 24 * 3_600_000;
const HASH = "SHA-256";

export async function openOffice(name: string): Promise<Office> {
  const own = await makeKeys(false);
  const common = (from: number, until: number) => ({
    serialNumber: `01${randomBytes(15).toString("hex")}`,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + until * DAY_MS),
    signingAlgorithm: { name: "ECDSA", hash: HASH },
  });
  const extensions = [new BasicConstraintsExtension(true, 1, true)];
  const root = await X509CertificateGenerator.createSelfSigned({ ...common(-10, 10), name, keys: own, extensions });
  return {
    ca: root.toString("pem"),
    async issue({ subject, dnsNames = [], from = -1, until = 1, usage = "client", isRsa = false }) {
      const keys = await makeKeys(isRsa);
      const certificate = await X509CertificateGenerator.create({
        ...common(from, until),
        subject,
        issuer: root.subjectName,
        publicKey: keys.publicKey,
        signingKey: own.privateKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new ExtendedKeyUsageExtension([usage === "client" ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth]),
          ...(dnsNames.length === 0 ? [] : [new SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: "dns", value })))]),
        ],
      });
      return { cert: certificate.toString("pem"), key: keys.pem };
    },
  };
}

async function makeKeys(isRsa: boolean): Promise<{ publicKey: CryptoKey; privateKey: CryptoKey; pem: string }> {
  const pair = isRsa ? generateKeyPairSync("rsa", { modulusLength: 2_048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = isRsa ? { name: "RSASSA-PKCS1-v1_5", hash: HASH } : { name: "ECDSA", namedCurve: "P-256" };
  return {
    publicKey: await pair.publicKey.toCryptoKey(algorithm, true, ["verify"]),
    privateKey: await pair.privateKey.toCryptoKey(algorithm, false, ["sign"]),
    pem: String(pair.privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}
