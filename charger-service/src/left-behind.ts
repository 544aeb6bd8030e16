import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { keepDoing } from "@chargemesh/kit/rounds";
import { deleteConnectionsBefore } from "./db/connection.ts";
import { deleteTransfersBefore } from "./db/data-transfer.ts";
import type { Db } from "./db/schema.ts";
import { deleteStandingsBefore } from "./db/user-standing.ts";
import { deleteDeliveriesBefore } from "./db/webhook-delivery.ts";
import { endAbandoned } from "./domain/transaction-abandoned.ts";

/** How often is looked for what is left behind, in ms. */
const LOOK_MS = 5_000;
const DAY_MS = 86_400_000;
/** No access token is good for longer than a day; the clocks of services may differ by minutes. */
const STANDING_DAYS = 2;
/** How many deliveries to webhooks are forgotten in a round at most: more than are made in one, and few enough for one statement. */
const DELIVERIES_MAX = 10_000;

interface Tidying {
  db: Db;
  clock: Clock;
  replicaId: string;
  /** How many days each is kept. */
  connectionDays: number;
  dataTransferDays: number;
  webhookDeliveryDays: number;
}

/** Ends transactions that reboots of this replica's chargers have left behind, and forgets connections, messages of vendors, deliveries to webhooks and standings of users after so many days. */
export function keepTidy(
  { db, clock, replicaId, connectionDays, dataTransferDays, webhookDeliveryDays }: Tidying,
  stack: Stack,
  log: Logger,
): void {
  const look = async (): Promise<void> => {
    await endAbandoned(db, replicaId);
    const now = clock.now().getTime();
    await deleteConnectionsBefore(db, new Date(now - connectionDays * DAY_MS));
    await deleteTransfersBefore(db, new Date(now - dataTransferDays * DAY_MS));
    await deleteStandingsBefore(db, new Date(now - STANDING_DAYS * DAY_MS));
    await deleteDeliveriesBefore(db, new Date(now - webhookDeliveryDays * DAY_MS), DELIVERIES_MAX);
  };
  keepDoing("left behind", { everyMs: LOOK_MS }, look, stack, log);
}
