import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** Who signs the certificates of chargers. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** What a charger gets behind its own certificate, as PEM: everything but the root. */
  readonly chain: string;
  readonly notAfter: Date;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** OCPP carries 10,000; the rest is for the charger's own, with the largest key that we sign. */
const CHAIN_LENGTH_MAX = 7_000;
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/**
 * An authority out of its files: certificates as PEM, the one that signs first and then those up to the root, which may be left out; and the
 * private key of the first. Throws Error that says what is wrong with them.
 */
export function readAuthority(certificates: string, privateKey: string, now: Date): Authority {
  const all = (certificates.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
  const [certificate] = all;
  if (certificate === undefined) throw new Error("there is no certificate in it");
  const key = createPrivateKey(privateKey);
  if (!certificate.checkPrivateKey(key)) throw new Error("key and certificate do not belong together");
  if (!certificate.ca) throw new Error("it is no certificate of an authority");
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type !== "rsa" && !(type === "ec" && CURVES.includes(details?.namedCurve ?? ""))) {
    throw new Error("its key must be RSA, or EC on P-256, P-384 or P-521");
  }
  const [notBefore, notAfter] = [certificate.validFromDate, certificate.validToDate];
  if (notBefore > now || notAfter <= now) throw new Error(`it is good from ${notBefore.toISOString()} to ${notAfter.toISOString()}`);
  const stray = all.find((each, i) => i > 0 && all[i - 1]?.checkIssued(each) !== true);
  if (stray !== undefined) throw new Error(`${oneLine(stray.subject)} has not issued the one before it`);
  const chain = all.filter((each) => !each.checkIssued(each)).map((each) => each.toString());
  const length = chain.join("").length;
  if (length > CHAIN_LENGTH_MAX)
    throw new Error(`what goes to chargers of it has ${length} characters, and ${CHAIN_LENGTH_MAX} are the most`);
  return { certificate, key, chain: chain.join(""), notAfter };
}

/** A name as one line: "CN=CP-1, O=Acme". */
export function oneLine(name: string): string {
  return name.split("\n").toReversed().join(", ");
}
