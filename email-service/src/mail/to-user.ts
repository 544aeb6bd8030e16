import type { Clock } from "@chargemesh/kit/clock";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import type { Logger } from "@chargemesh/kit/log";
import { transact } from "@chargemesh/kit/postgres";
import { optOutsOf } from "../db/opt-out.ts";
import { holdRecipient } from "../db/recipient.ts";
import type { Db, RecipientRow } from "../db/schema.ts";
import { queueMail } from "./queue.ts";
import type { Sender } from "./sender.ts";
import type { Category, Template } from "./templates/template.ts";

/**
 * Users and what happens to them come in streams of their own, so that an event may be here before its user, most of all while we catch up
 * after a long time away. It comes again after 1, 5, 15 and then every 60 s; the 8th time is some 4 minutes later, in which
 * we read more users than sign up in a day. Counted in deliveries, because an event that waited for us for days is not late.
 */
const DELIVERIES_MAX = 8;

/** An event, and how often it has come to us, this time included. */
export interface Delivery {
  event: CloudEvent;
  deliveries: number;
}

/**
 * Mails a user what an event leads to: once, in their language, to their newest address. Not to who has none, is disabled or deleted, or does
 * not want mails of this kind. `dataOf` makes the template's data for a username. Throws if the event shall come again.
 */
export async function mailUser<T>(
  { db, clock, sender, log }: { db: Db; clock: Clock; sender: Sender; log: Logger },
  { event, deliveries }: Delivery,
  userId: string,
  template: Template<T>,
  dataOf: (username: string) => T,
): Promise<void> {
  if (userId === "") return;
  const outcome = await transact(db, async (tx) => {
    const recipient = await holdRecipient(tx, userId);
    if (recipient === undefined) return "unknown";
    if (!(await isWanted(tx, recipient, template.category))) return "unwanted";
    const { email, language, username } = recipient;
    const envelope = { email, language, userId, eventId: event.id, now: clock.now() };
    return (await queueMail(tx, template, dataOf(username), envelope)) ? "queued" : "unwanted";
  });
  if (outcome === "queued") sender.wake();
  if (outcome !== "unknown") return;
  if (deliveries < DELIVERIES_MAX) throw new Error(`user ${userId} is not known yet`);
  log.error({ event: event.id, type: event.type, userId }, "no mail: no event has told us of this user");
}

async function isWanted(tx: Db, { user_id, is_disabled }: RecipientRow, category: Category): Promise<boolean> {
  return !is_disabled && (category === "ACCOUNT" || !(await optOutsOf(tx, user_id)).has(category));
}
