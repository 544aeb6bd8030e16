import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { jsonText } from "@chargemesh/kit/postgres";
import { sql } from "kysely";
import type { Db } from "./schema.ts";
import type { DeliveryState, WebhookAttemptRow, WebhookDeliveryRow, WebhookRow } from "./webhook-tables.ts";

const columns = [
  "id",
  "webhook_id",
  "event_id",
  "cursor",
  "type",
  "subject",
  "event",
  "state",
  "attempts",
  "failed_attempts",
  "next_attempt_time",
  "lease_time",
  "give_up_time",
  "create_time",
  "end_time",
] as const;

/** For so long a delivery is attempted, and given up then. */
const giveUpTime = sql<Date>`now() + interval '24 hours'`;

const queueAgainWhatEnded = sql`do update set state = 'PENDING', failed_attempts = 0, next_attempt_time = now(), lease_time = null,
  give_up_time = excluded.give_up_time, end_time = null where webhook_delivery.state <> 'PENDING'`;

/** An event of the journal, and the webhooks that it is for. */
export interface QueuedEvent {
  /** Where it is in the journal. */
  cursor: number;
  event: CloudEvent;
  webhooks: readonly Pick<WebhookRow, "id" | "owner_role">[];
}

/**
 * Queues events for webhooks, and says how many deliveries that makes. What a webhook has, or has had, is left as it is; with `again`, what has
 * ended is queued once more. Webhooks that are disabled or deleted meanwhile, or see less than they did, get nothing.
 */
export async function queueDeliveries(tx: Db, queued: readonly QueuedEvent[], again: boolean): Promise<number> {
  const pairs = queued.flatMap(({ webhooks }, index) =>
    webhooks.map(({ id, owner_role }) => ({ id, role: owner_role, number: index + 1 })),
  );
  if (pairs.length === 0) return 0;
  const events = queued.map(({ event }) => event);
  const { rows } = await sql`
    insert into webhook_delivery (webhook_id, event_id, cursor, type, subject, event, give_up_time)
    select pair.id, one.event_id, one.cursor, one.type, one.subject, one.event::jsonb, ${giveUpTime}
    from unnest(${pairs.map(({ id }) => id)}::uuid[], ${pairs.map(({ role }) => role)}::text[], ${pairs.map(({ number }) => number)}::integer[])
        as pair (id, role, number)
      join unnest(${events.map(({ id }) => id)}::text[], ${queued.map(({ cursor }) => cursor)}::bigint[],
        ${events.map(({ type }) => type)}::text[], ${events.map(({ subject }) => subject)}::text[], ${events.map(jsonText)}::text[])
        with ordinality as one (event_id, cursor, type, subject, event, number) using (number)
      join webhook on webhook.id = pair.id and webhook.owner_role = pair.role and webhook.state = 'ENABLED'
    order by number for key share of webhook
    on conflict on constraint webhook_delivery_is_queued_once ${again ? queueAgainWhatEnded : sql`do nothing`}
    returning id`.execute(tx);
  return rows.length;
}

/** Queues an event that is not in the journal, because it is made for this webhook alone. */
export function insertDelivery(tx: Db, webhookId: string, event: CloudEvent): Promise<WebhookDeliveryRow> {
  const { id, type, subject } = event;
  return tx
    .insertInto("webhook_delivery")
    .values({ webhook_id: webhookId, event_id: id, type, subject, event: jsonText(event), give_up_time: giveUpTime })
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Undefined if the webhook has none of this id. */
export function deliveryById(db: Db, webhookId: string, id: number): Promise<WebhookDeliveryRow | undefined> {
  return db.selectFrom("webhook_delivery").select(columns).where("id", "=", id).where("webhook_id", "=", webhookId).executeTakeFirst();
}

export interface DeliveryFilter {
  state: DeliveryState | undefined;
  /** A full name. */
  type: string | undefined;
}

/** Those of a webhook, newest first, after the one of this id. */
export function deliveriesBefore(
  db: Db,
  webhookId: string,
  { state, type }: DeliveryFilter,
  beforeId: number | undefined,
  limit: number,
): Promise<WebhookDeliveryRow[]> {
  let query = db.selectFrom("webhook_delivery").select(columns).where("webhook_id", "=", webhookId).orderBy("id", "desc").limit(limit);
  if (state !== undefined) query = query.where("state", "=", state);
  if (type !== undefined) query = query.where("type", "=", type);
  if (beforeId !== undefined) query = query.where("id", "<", beforeId);
  return query.execute();
}

/** All that were made, the first one first. */
export function attemptsOf(db: Db, deliveryId: number): Promise<WebhookAttemptRow[]> {
  return db.selectFrom("webhook_attempt").selectAll().where("delivery_id", "=", deliveryId).orderBy("number").execute();
}

/** Makes a delivery due now and gives it all its time again: one that has ended, and one that waits for its next attempt. Undefined if there is none. */
export function queueAgain(tx: Db, webhookId: string, id: number): Promise<WebhookDeliveryRow | undefined> {
  return tx
    .updateTable("webhook_delivery")
    .set({ state: "PENDING", failed_attempts: 0, next_attempt_time: sql<Date>`now()`, give_up_time: giveUpTime, end_time: null })
    .where("id", "=", id)
    .where("webhook_id", "=", webhookId)
    .returning(columns)
    .executeTakeFirst();
}

/** Whether at least so many deliveries of a webhook are pending. */
export async function hasPending(db: Db, webhookId: string, count: number): Promise<boolean> {
  const { rows } = await sql`
    select from webhook_delivery where webhook_id = ${webhookId} and state = 'PENDING' offset ${count - 1} limit 1`.execute(db);
  return rows.length > 0;
}

/** Forgets all of these types of a webhook, whether they wait or have ended. */
export async function deleteDeliveriesOf(tx: Db, webhookId: string, types: readonly string[]): Promise<void> {
  await sql`delete from webhook_delivery where webhook_id = ${webhookId} and type = any(${types}::text[])`.execute(tx);
}

/** Forgets at most so many that ended before this, and says how many. */
export async function deleteDeliveriesBefore(db: Db, time: Date, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from webhook_delivery where id in (
      select id from webhook_delivery where state <> 'PENDING' and end_time < ${time} order by end_time limit ${limit} for update skip locked)
    returning id`.execute(db);
  return rows.length;
}
