import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { sweepAttempts } from "./db/attempts.ts";
import { deleteExpiredDevices } from "./db/device.ts";
import { deleteExpiredTokens } from "./db/one-time-token.ts";
import type { Db } from "./db/schema.ts";
import { sweepTokens } from "./db/sweep.ts";

/** How often, in ms. What has run out counts no more; this only keeps the tables small. */
const EVERY_MS = 60_000;

/** Removes, now and every now and then, attempts, one-time tokens, sessions, keys and devices that have run out. */
export function forgetExpired(db: Db, clock: Clock, stack: Stack, log: Logger): void {
  const sweep = async (): Promise<void> => {
    const now = clock.now();
    await sweepAttempts(db, now);
    await deleteExpiredTokens(db, now);
    await sweepTokens(db, now);
    await deleteExpiredDevices(db, now);
  };
  const run = (): void => {
    sweep().catch((err: unknown) => log.warn({ err }, "what has run out could not be removed"));
  };
  run();
  const timer = setInterval(run, EVERY_MS);
  stack.defer("forget expired", () => clearInterval(timer));
}
