import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { type Identity, issue, issueServer, makeAuthority, type Validity } from "./authority.ts";

/** Who has a certificate: what is in the mesh, and the NATS server. */
export const NAMES = ["gateway", "auth-service", "charger-service", "email-service", "nats"] as const;

const DAY_MS = 24 * 3_600_000;
const AUTHORITY_DAYS = 3_650;
const DAYS = 90;
/** One that ends sooner is made anew. */
const RENEWAL_DAYS = 30;
/** Clocks may differ by so much. */
const SKEW_MS = 3_600_000;
/** Under these names everything on one machine is reached. */
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/** What became of a certificate. */
export type Kept = { readonly name: string; readonly isNew: boolean; readonly notAfter: Date };

/**
 * Keeps in `dir` an authority of its own, and in a folder below for each name what MESH_CERTS wants: `ca.crt`, `tls.crt` and `tls.key`.
 * What is there stays, unless it ends soon, is somebody else's or lacks one of `hosts`, the names and addresses by which they are reached.
 */
export async function keepCertificates(dir: string, hosts: readonly string[], now: Date): Promise<Kept[]> {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const { identity: authority } = await keepAuthority(dir, "ca", "Chargemesh development CA", now);
  return Promise.all(
    NAMES.map(async (name) => {
      const folder = join(dir, name);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const reachedAt = [...LOOPBACK, ...hosts];
      const make = (): Promise<Identity> => issue(authority, name, reachedAt, validity(now, DAYS));
      const kept = await keepIdentity(join(folder, "tls"), authority, reachedAt, make, now);
      write(join(folder, "ca.crt"), authority.certificate, 0o644);
      return { name, ...kept };
    }),
  );
}

/** What is at `${path}.crt` and `${path}.key`, unless it is no good any more: then what `make` makes takes its place. */
async function keepIdentity(
  path: string,
  authority: Identity,
  hosts: readonly string[],
  make: () => Promise<Identity>,
  now: Date,
): Promise<Omit<Kept, "name">> {
  const there = readIdentity(`${path}.crt`, `${path}.key`);
  const isGood = there !== undefined && isOf(there, authority, hosts) && lastsUntil(there, now, RENEWAL_DAYS);
  const identity = isGood ? there : await make();
  if (!isGood) writeIdentity(identity, `${path}.crt`, `${path}.key`);
  return { isNew: !isGood, notAfter: new X509Certificate(identity.certificate).validToDate };
}

/**
 * Keeps in `dir` the certificate by which chargers know the port for TLS, `ocpp.crt` and `ocpp.key`: of the authority of
 * `keepChargersAuthority`, so that chargers have one to trust.
 */
export async function keepOcppCertificate(dir: string, hosts: readonly string[], now: Date): Promise<Kept> {
  const { identity: authority } = await keepAuthority(dir, "chargers-ca", "Chargemesh development CA for chargers", now);
  const reachedAt = [...LOOPBACK, ...hosts];
  const make = (): Promise<Identity> => issueServer(authority, reachedAt, validity(now, DAYS));
  return { name: "ocpp", ...(await keepIdentity(join(dir, "ocpp"), authority, reachedAt, make, now)) };
}

/**
 * Keeps in `dir` the authority that charger-service signs certificates of chargers with, `chargers-ca.crt` and `chargers-ca.key`. It is another one
 * than that of the services, so that no charger is taken for one of them.
 */
export async function keepChargersAuthority(dir: string, now: Date): Promise<Kept> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { identity, isNew } = await keepAuthority(dir, "chargers-ca", "Chargemesh development CA for chargers", now);
  return { name: "chargers-ca", isNew, notAfter: new X509Certificate(identity.certificate).validToDate };
}

/** The authority of before; another one, by which everything is made anew, once it does not outlive what it signs. */
async function keepAuthority(dir: string, file: string, name: string, now: Date): Promise<{ identity: Identity; isNew: boolean }> {
  const [certificate, key] = [join(dir, `${file}.crt`), join(dir, `${file}.key`)];
  const there = readIdentity(certificate, key);
  if (there !== undefined && lastsUntil(there, now, DAYS)) return { identity: there, isNew: false };
  const made = await makeAuthority(validity(now, AUTHORITY_DAYS), name);
  writeIdentity(made, certificate, key);
  return { identity: made, isNew: true };
}

function validity(now: Date, days: number): Validity {
  return { notBefore: new Date(now.getTime() - SKEW_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

function lastsUntil({ certificate }: Identity, now: Date, days: number): boolean {
  return new X509Certificate(certificate).validToDate.getTime() >= now.getTime() + days * DAY_MS;
}

function isOf({ certificate }: Identity, authority: Identity, hosts: readonly string[]): boolean {
  const read = new X509Certificate(certificate);
  const isFor = (host: string): boolean => (isIP(host) === 0 ? read.checkHost(host) : read.checkIP(host)) !== undefined;
  return read.verify(new X509Certificate(authority.certificate).publicKey) && hosts.every(isFor);
}

function readIdentity(certificate: string, key: string): Identity | undefined {
  if (!existsSync(certificate) || !existsSync(key)) return undefined;
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

function writeIdentity({ certificate, key }: Identity, certificateFile: string, keyFile: string): void {
  write(keyFile, key, 0o600);
  write(certificateFile, certificate, 0o644);
}

/** Whole or not at all: a service may be reading it. */
function write(file: string, text: string, mode: number): void {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}
