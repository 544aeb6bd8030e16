import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { withoutDatabase } from "@chargemesh/kit/postgres";

/** How long to wait after a failure, in ms: twice as long each time, up to a limit at which a returning database is soon noticed. */
const WAIT_MS = { first: 250, longest: 5_000 };
/** How often to say that it is still away, in ms. */
const REPORT_MS = 60_000;

/** Does `work`, again and again while it fails because the database is away. Rejects if it fails for another reason, or the process stops. */
export async function untilDatabaseIsThere(stack: Stack, log: Logger, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  stack.defer("wait for the database", () => controller.abort());
  let reportTime = Number.NEGATIVE_INFINITY;
  for (let waitMs = WAIT_MS.first; ; waitMs = Math.min(waitMs * 2, WAIT_MS.longest)) {
    try {
      return await work(signal);
    } catch (thrown) {
      const err = withoutDatabase(thrown);
      if (!(err instanceof AppError) || err.code !== "unavailable") throw err;
      if (performance.now() - reportTime >= REPORT_MS) {
        log.warn({ err }, "waiting for the database");
        reportTime = performance.now();
      }
    }
    await sleep(waitMs, undefined, { signal });
  }
}
