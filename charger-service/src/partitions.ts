import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { keepDoing } from "@chargemesh/kit/rounds";
import { keepMessageDays } from "./db/message.ts";
import { makePartitions } from "./db/meter-value.ts";
import type { Db } from "./db/schema.ts";

const HOUR_MS = 3_600_000;
const RETRY_MS = 10_000;

/**
 * Keeps the partitions of meter values and of the frame log made ahead, and drops those of frames that are older than so many days.
 * Until it could, rows go into the default ones, and are moved later.
 */
export function keepPartitions(db: Db, messageRetentionDays: number, clock: Clock, stack: Stack, log: Logger): void {
  const keep = async (): Promise<void> => {
    await makePartitions(db, clock.now());
    await keepMessageDays(db, clock.now(), messageRetentionDays);
  };
  keepDoing("partitions", { everyMs: HOUR_MS, retryMs: RETRY_MS }, keep, stack, log);
}
