import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { watchCertificateFiles } from "./certificate-files.ts";
import { ConfigError } from "./config.ts";
import type { Logger } from "./log.ts";
import { serviceNameIn } from "./peer.ts";

/** What a service proves itself with, and by whom it lets others prove themselves; each as PEM. */
export interface Certificates {
  ca: Buffer;
  certificate: Buffer;
  key: Buffer;
}

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
  const files = {
    where: `MESH_CERTS: ${join(dir, "tls.crt")}`,
    read: () => readCertificates(dir),
    faultOf: (found: Certificates) => faultOf(found, service),
    contentsOf: ({ ca, certificate, key }: Certificates) => [ca, certificate, key],
    certificateOf: ({ certificate }: Certificates) => certificate,
    update,
  };
  return watchCertificateFiles(files, log);
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
