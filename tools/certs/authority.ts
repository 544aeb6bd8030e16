// The library finds its parts by metadata that decorators write.
import "reflect-metadata";
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its private key, each as PEM. */
export type Identity = { readonly certificate: string; readonly key: string };

/** From when to when a certificate holds. */
export type Validity = { readonly notBefore: Date; readonly notAfter: Date };

const CURVE = "P-256";
const ALGORITHM = { name: "ECDSA", namedCurve: CURVE };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

/** Makes an authority of this name that signs certificates of whoever is no authority. */
export async function makeAuthority(validity: Validity, name = "Chargemesh development CA"): Promise<Identity> {
  const keys = makeKeys();
  const publicKey = await publicOf(keys.publicKey);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...commonOf(validity),
    name: `CN=${name}`,
    keys: { publicKey, privateKey: await signing(keys.privateKey) },
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificate: pem(certificate), key: pemOf(keys.privateKey) };
}

/**
 * Makes a certificate with which `service` is server and client. Its name in the mesh is a URI, as SPIFFE writes names; the host names are
 * there for clients that know nothing of the mesh, such as grpcurl.
 */
export async function issue(authority: Identity, service: string, hosts: readonly string[], validity: Validity): Promise<Identity> {
  const names: JsonGeneralNames = [{ type: "url", value: `spiffe://chargemesh/${service}` }, ...namesOf([service, ...hosts])];
  return sign(authority, service, names, [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth], validity);
}

/** Makes a certificate with which a server is `hosts`, and nothing else. */
export function issueServer(authority: Identity, hosts: readonly string[], validity: Validity): Promise<Identity> {
  return sign(authority, hosts[0] ?? "localhost", namesOf(hosts), [ExtendedKeyUsage.serverAuth], validity);
}

function namesOf(hosts: readonly string[]): JsonGeneralNames {
  return hosts.map((host) => ({ type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const), value: host }));
}

async function sign(
  authority: Identity,
  commonName: string,
  names: JsonGeneralNames,
  usages: ExtendedKeyUsage[],
  validity: Validity,
): Promise<Identity> {
  const keys = makeKeys();
  const publicKey = await publicOf(keys.publicKey);
  const issuer = new X509Certificate(authority.certificate);
  const certificate = await X509CertificateGenerator.create({
    ...commonOf(validity),
    subject: `CN=${commonName}`,
    issuer: issuer.subject,
    publicKey,
    signingKey: await signing(createPrivateKey(authority.key)),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages),
      new SubjectAlternativeNameExtension(names),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ] satisfies Extension[],
  });
  return { certificate: pem(certificate), key: pemOf(keys.privateKey) };
}

function makeKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: CURVE });
}

function commonOf({ notBefore, notAfter }: Validity) {
  // Positive, as the standard wants it.
  const serialNumber = `01${randomBytes(15).toString("hex")}`;
  return { serialNumber, notBefore, notAfter, signingAlgorithm: SIGNATURE };
}

const publicOf = async (key: KeyObject) => key.toCryptoKey(ALGORITHM, true, ["verify"]);
const signing = async (key: KeyObject) => key.toCryptoKey(ALGORITHM, false, ["sign"]);
const pem = (certificate: X509Certificate): string => `${certificate.toString("pem")}\n`;
const pemOf = (key: KeyObject): string => String(key.export({ type: "pkcs8", format: "pem" }));
