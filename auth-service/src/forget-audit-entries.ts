import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { rest } from "@chargemesh/kit/rest";
import { forgetAuditEntries } from "./db/audit-entry.ts";
import type { Db } from "./db/schema.ts";

const DAY_MS = 24 * 3_600_000;

/** Once a day, and at the start, removes what is older than `days`. Of several replicas each does; there is nothing left for the second. */
export function forgetOldAuditEntries(db: Db, days: number, stack: Stack, log: Logger): void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await forgetAll().catch((err: unknown) => log.warn({ err }, "old audit entries could not be removed"));
      await rest(DAY_MS, signal);
    }
  };
  const forgetAll = async (): Promise<void> => {
    for (let count = 1; count > 0 && !signal.aborted; ) count = await forgetAuditEntries(db, days);
  };
  const running = run();
  stack.defer("audit retention", async () => {
    stopping.abort();
    await running;
  });
}
