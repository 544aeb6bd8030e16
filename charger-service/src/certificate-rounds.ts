import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { keepDoing } from "@chargemesh/kit/rounds";
import { forgetRequests } from "./db/certificate-request.ts";
import type { Db } from "./db/schema.ts";
import { forgetSecurityEvents } from "./db/security-event.ts";
import { renewCertificates, sendCertificates } from "./domain/certificate-delivery.ts";
import type { Certification } from "./domain/certificate-request.ts";
import type { Commander } from "./domain/command.ts";

const ROUND_MS = 60_000;

/**
 * Sees again and again to what is left of certificates: sends those that a crash has left behind, has those renewed that end soon, and forgets
 * what is older than `retentionDays` of security events and of requests that led to nothing.
 */
export function keepCertificates(
  deps: { db: Db; commander: Commander; clock: Clock },
  certification: Certification,
  retentionDays: number,
  stack: Stack,
  log: Logger,
): void {
  const round = async (): Promise<void> => {
    const now = deps.clock.now();
    await sendCertificates(deps, now);
    await renewCertificates(deps, certification, now);
    await forgetRequests(deps.db, retentionDays);
    await forgetSecurityEvents(deps.db, retentionDays);
  };
  keepDoing("certificates", { everyMs: ROUND_MS }, round, stack, log);
}
