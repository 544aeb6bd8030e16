import { X509Certificate } from "node:crypto";
import { ConfigError } from "./config.ts";
import type { Logger } from "./log.ts";

/** Files of certificates and keys that are looked at again and again, because somebody renews them. */
export interface CertificateFiles<Found> {
  /** For people: which they are. */
  readonly where: string;
  /** Reads them. Throws ConfigError if they cannot be read. */
  read(): Promise<Found>;
  /** What keeps them from being used; undefined if nothing does. They may be half replaced. */
  faultOf(found: Found): string | undefined;
  /** All that is in them, in the same order every time. */
  contentsOf(found: Found): readonly Buffer[];
  /** Of our own certificate, PEM. */
  certificateOf(found: Found): Buffer;
  /** Takes up what is there now. */
  update(found: Found): void;
}

/** How often the files are looked at, in ms. They are small. */
const LOOK_MS = 1_000;
/** Long enough for people to notice, in ms. */
const ENDS_SOON_MS = 7 * 24 * 3_600_000;

/**
 * Reads them, tells `update`, and again whenever they have changed and can be used. Resolves with how to end it.
 * Throws ConfigError if they cannot be used now.
 */
export async function watchCertificateFiles<Found>(files: CertificateFiles<Found>, log: Logger): Promise<() => void> {
  const { where } = files;
  let current = await files.read();
  const fault = files.faultOf(current);
  if (fault !== undefined) throw new ConfigError(`${where} cannot be used: ${fault}`);
  files.update(current);
  let said = "";
  const sayOnce = (err: unknown, text: string): void => {
    const message = err instanceof Error ? err.message : String(err);
    if (message !== said) log.warn({ err: message, where }, text);
    said = message;
  };
  const endTimeOf = (found: Found): Date => new X509Certificate(files.certificateOf(found)).validToDate;
  const look = async (): Promise<void> => {
    const next = await files.read();
    if (areSame(files.contentsOf(next), files.contentsOf(current))) {
      const endTime = endTimeOf(current);
      if (endTime.getTime() - Date.now() < ENDS_SOON_MS) sayOnce(endTime.toISOString(), "our certificate ends soon: renew it");
      return;
    }
    const wrong = files.faultOf(next);
    if (wrong !== undefined) return sayOnce(wrong, "new certificates cannot be used; the old ones stay");
    current = next;
    files.update(next);
    log.info({ where, notAfter: endTimeOf(next) }, "took up new certificates");
  };
  const timer = setInterval(
    () => void look().catch((err: unknown) => sayOnce(err, "certificates cannot be read; the old ones stay")),
    LOOK_MS,
  );
  return () => clearInterval(timer);
}

function areSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((one, i) => b[i]?.equals(one) === true);
}
