import { readFile } from "node:fs/promises";
import type { Clock } from "@chargemesh/kit/clock";
import { ConfigError } from "@chargemesh/kit/config";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { keepCertificates } from "./certificate-rounds.ts";
import type { Config } from "./config.ts";
import type { Db } from "./db/schema.ts";
import { type Authority, readAuthority } from "./domain/authority.ts";
import type { Certification } from "./domain/certificate-request.ts";
import type { Commander } from "./domain/command.ts";

/** How chargers get certificates, by the settings; from now on it is seen to. Throws ConfigError if the authority cannot be used. */
export async function openCertification(
  { certification, securityEventDays }: Config,
  deps: { db: Db; commander: Commander; clock: Clock },
  stack: Stack,
  log: Logger,
): Promise<Certification> {
  const { caCertificate, caKey, signing, ...rest } = certification;
  const now = deps.clock.now();
  const authority = caCertificate === undefined || caKey === undefined ? undefined : await readFiles(caCertificate, caKey, now);
  const opened = { ...rest, authority, signing: authority === undefined ? "off" : signing } as const;
  keepCertificates(deps, opened, securityEventDays, stack, log);
  return opened;
}

async function readFiles(certificateFile: string, keyFile: string, now: Date): Promise<Authority> {
  try {
    return readAuthority(await readFile(certificateFile, "utf8"), await readFile(keyFile, "utf8"), now);
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : { message: String(cause) };
    throw new ConfigError(`OCPP_CA_CERT and OCPP_CA_KEY cannot be used: ${message}`, { cause });
  }
}
