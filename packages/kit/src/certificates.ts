import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { ConfigError } from "./config.ts";
import type { Logger } from "./log.ts";
import { serviceNameIn } from "./peer.ts";

/** What a service proves itself with, and by whom it lets others prove themselves; each as PEM. */
export interface Certificates {
  ca: Buffer;
  certificate: Buffer;
  key: Buffer;
}

/** How often the files are looked at, in ms. They are small. */
const LOOK_MS = 1_000;
/** Long enough for people to notice, in ms. */
const ENDS_SOON_MS = 7 * 24 * 3_600_000;

/**
 * Reads `ca.crt`, `tls.crt` and `tls.key` of `service`, in `folder` or in a folder of its name below, tells `update`, and again whenever they
 * have changed and fit together. Resolves with how to end it. Throws ConfigError if they cannot be used.
 */
export async function watchCertificates(
  folder: string,
  service: string,
  update: (certificates: Certificates) => void,
  log: Logger,
): Promise<() => void> {
  const dir = await folderOf(folder, service);
  let current = await readCertificates(dir);
  const fault = faultOf(current, service);
  if (fault !== undefined)
    throw new ConfigError(`MESH_CERTS: ${join(dir, "tls.crt")} cannot be used: ${fault}. \`make certs\` makes some.`);
  update(current);
  let said = "";
  const sayOnce = (err: unknown, text: string): void => {
    const message = err instanceof Error ? err.message : String(err);
    if (message !== said) log.warn({ err: message, dir }, text);
    said = message;
  };
  const look = async (): Promise<void> => {
    const next = await readCertificates(dir);
    const endTime = new X509Certificate(current.certificate).validToDate.getTime();
    if (areSame(next, current)) {
      if (endTime - Date.now() < ENDS_SOON_MS) sayOnce(new Date(endTime).toISOString(), "our certificate ends soon: renew it");
      return;
    }
    const wrong = faultOf(next, service);
    if (wrong !== undefined) return sayOnce(wrong, "new certificates cannot be used; the old ones stay");
    current = next;
    update(next);
    log.info({ dir, notAfter: new X509Certificate(next.certificate).validToDate }, "took up new certificates");
  };
  const timer = setInterval(
    () => void look().catch((err: unknown) => sayOnce(err, "certificates cannot be read; the old ones stay")),
    LOOK_MS,
  );
  return () => clearInterval(timer);
}

async function folderOf(folder: string, service: string): Promise<string> {
  const own = join(folder, service);
  return stat(own).then(
    (found) => (found.isDirectory() ? own : folder),
    () => folder,
  );
}

async function readCertificates(dir: string): Promise<Certificates> {
  const read = (name: string): Promise<Buffer> => readFile(join(dir, name));
  try {
    const [ca, certificate, key] = await Promise.all([read("ca.crt"), read("tls.crt"), read("tls.key")]);
    return { ca, certificate, key };
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : { message: String(cause) };
    throw new ConfigError(`MESH_CERTS: ${message}. \`make certs\` makes certificates.`, { cause });
  }
}

/** What keeps them from being used; undefined if nothing does. */
function faultOf({ ca, certificate, key }: Certificates, service: string): string | undefined {
  try {
    // Throws if certificate and key do not belong together, as for the moment in which one of them has been replaced.
    createSecureContext({ ca, cert: certificate, key });
    const { subjectAltName, validToDate } = new X509Certificate(certificate);
    if (serviceNameIn(subjectAltName) !== service) return `it is not for ${service} but for ${subjectAltName}`;
    return validToDate.getTime() > Date.now() ? undefined : `it ended on ${validToDate.toISOString()}`;
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

function areSame(a: Certificates, b: Certificates): boolean {
  return a.ca.equals(b.ca) && a.certificate.equals(b.certificate) && a.key.equals(b.key);
}
