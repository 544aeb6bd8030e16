import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { keepDoing } from "@chargemesh/kit/rounds";
import { deleteOldMessages } from "./db/message.ts";
import { deleteOldOutages } from "./db/outage.ts";
import type { Db } from "./db/schema.ts";

/** How often is looked for what is left behind, in ms. */
const LOOK_MS = 60_000;
const DAY_MS = 86_400_000;
/** How long an outage that is over is remembered, in days: an event that told of its beginning would come within that time. */
const OUTAGE_DAYS = 7;
/** How many messages go in one statement. */
const MESSAGES_MAX = 1_000;

/** Forgets mails so many days after they were sent or given up, and outages that are over. */
export function keepTidy({ db, clock, messageDays }: { db: Db; clock: Clock; messageDays: number }, stack: Stack, log: Logger): void {
  const look = async (): Promise<void> => {
    const daysAgo = (days: number): Date => new Date(clock.now().getTime() - days * DAY_MS);
    while ((await deleteOldMessages(db, daysAgo(messageDays), MESSAGES_MAX)) === MESSAGES_MAX);
    await deleteOldOutages(db, daysAgo(OUTAGE_DAYS));
  };
  keepDoing("left behind", { everyMs: LOOK_MS }, look, stack, log);
}
