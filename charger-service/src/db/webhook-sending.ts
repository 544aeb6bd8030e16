import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { sql } from "kysely";
import type { Db } from "./schema.ts";
import type { WebhookAttemptRow } from "./webhook-tables.ts";

/** As many as the bytes that are kept of an answer. */
const CHARACTERS_MAX = 1_024;

/** When a webhook has something to do next. It may be in the past, and may turn out to be under way, or to have to wait for another one. */
export interface NextAttempt {
  webhookId: string;
  time: Date;
  inOrder: boolean;
  /** Whether it has done nothing but fail lately. */
  isFailing: boolean;
}

/** Those of all enabled webhooks that have something to do, the longest due first. */
export async function nextAttempts(db: Db): Promise<NextAttempt[]> {
  const { rows } = await sql<NextAttempt>`
    select w.id as "webhookId", next.time, w.in_order as "inOrder", w.failing_since is not null as "isFailing" from webhook w
    cross join lateral (
      select next_attempt_time as time from webhook_delivery d
      where d.webhook_id = w.id and d.state = 'PENDING' order by next_attempt_time limit 1) next
    where w.state = 'ENABLED' order by next.time`.execute(db);
  return rows;
}

/** A delivery that somebody has for himself until its lease ends, and all that it takes to attempt it. */
export interface ClaimedDelivery {
  id: number;
  webhookId: string;
  event: CloudEvent;
  failedAttempts: number;
  leaseTime: Date;
  url: string;
  sealedSecret: string;
  sealedPreviousSecret: string | null;
  previousSecretExpireTime: Date | null;
}

/** How many deliveries of a webhook may be claimed. */
export interface Wanted {
  webhookId: string;
  free: number;
}

/** For whom deliveries are claimed. */
export interface Claimant {
  now: Date;
  leaseTime: Date;
  /** What it has already. */
  except: readonly number[];
}

/** Whether the delivery `d` may be claimed. */
const isDue = ({ now, except }: Claimant) => sql<boolean>`(d.state = 'PENDING' and d.next_attempt_time <= ${now}
  and (d.lease_time is null or d.lease_time <= ${now}) and d.id <> all(${except}::bigint[]))`;

/** Claims the deliveries `claimed`, of webhooks that are enabled, and with order or without. */
const claim = ({ leaseTime }: Claimant, inOrder: boolean) => sql<ClaimedDelivery>`
  update webhook_delivery d set lease_time = ${leaseTime}
  from claimed join webhook w on w.id = claimed.webhook_id and w.state = 'ENABLED' and w.in_order = ${inOrder}
  where d.id = claimed.id
  returning d.id, d.webhook_id as "webhookId", d.event, d.failed_attempts as "failedAttempts", d.lease_time as "leaseTime",
    w.url, w.sealed_secret as "sealedSecret", w.sealed_previous_secret as "sealedPreviousSecret",
    w.previous_secret_expire_time as "previousSecretExpireTime"`;

/** Claims what is due for webhooks without order, the longest due first. Replicas that ask at once get different ones. */
export async function claimDeliveries(db: Db, wanted: readonly Wanted[], claimant: Claimant): Promise<ClaimedDelivery[]> {
  if (wanted.length === 0) return [];
  const { rows } = await sql<ClaimedDelivery>`
    with claimed as (
      select wanted.webhook_id, due.id
      from unnest(${wanted.map(({ webhookId }) => webhookId)}::uuid[], ${wanted.map(({ free }) => free)}::integer[])
        as wanted (webhook_id, free)
      cross join lateral (
        select d.id from webhook_delivery d where d.webhook_id = wanted.webhook_id and ${isDue(claimant)}
        order by d.next_attempt_time, d.id limit wanted.free for update of d skip locked) due)
    ${claim(claimant, false)}`.execute(db);
  return rows;
}

/**
 * The same for a webhook with order: of each subject only the oldest that waits (a test of the webhook being the newest), and what is due of
 * those. They are gone through one by one until there are enough, from the subject `after` on: however many wait behind one that fails, they
 * are not looked at.
 */
export async function claimInOrder(db: Db, { webhookId, free }: Wanted, after: string, claimant: Claimant): Promise<ClaimedDelivery[]> {
  const oldestAfter = (subject: unknown) => sql`(
    select d.id, d.subject, d.state, d.next_attempt_time, d.lease_time from webhook_delivery d
    where d.webhook_id = ${webhookId} and d.state = 'PENDING' and d.subject > ${subject} order by d.subject, d.cursor limit 1)`;
  const { rows } = await sql<ClaimedDelivery>`
    with recursive oldest as (
      ${oldestAfter(after)}
      union all
      select next.* from oldest cross join lateral ${oldestAfter(sql`oldest.subject`)} next),
    due as materialized (select d.id from oldest d where ${isDue(claimant)} limit ${free}),
    claimed as (
      select d.webhook_id, d.id from webhook_delivery d where d.id in (select id from due) and ${isDue(claimant)} for update of d skip locked)
    ${claim(claimant, true)}`.execute(db);
  return rows;
}

/** Gives back what was claimed and not attempted. */
export async function releaseDeliveries(db: Db, ids: readonly number[]): Promise<void> {
  await sql`update webhook_delivery set lease_time = null where id = any(${ids}::bigint[]) and state = 'PENDING'`.execute(db);
}

/** What is known of a webhook that is enabled and has failed. */
export interface FailingWebhook {
  url: string;
  /** Since when it has done nothing else. */
  failingSince: Date;
}

/** Writes down that a webhook has failed. Undefined if it is no more, or disabled. Locks it. */
export async function beginFailing(tx: Db, webhookId: string, now: Date): Promise<FailingWebhook | undefined> {
  const { rows } = await sql<FailingWebhook>`
    update webhook set failing_since = coalesce(failing_since, ${now}) where id = ${webhookId} and state = 'ENABLED'
    returning url, failing_since as "failingSince"`.execute(tx);
  return rows[0];
}

/** An attempt as it went. */
export interface Attempted extends Omit<WebhookAttemptRow, "delivery_id" | "number"> {
  isDelivered: boolean;
  /** Of one that failed: when the next one is to be; undefined if none is to be. */
  nextAttemptTime: Date | undefined;
}

/**
 * Writes down an attempt, and what becomes of its delivery, unless that is no more. What has been given up meanwhile, only a success changes;
 * with that its webhook does not fail any more. The last attempt is made when it is time to give up.
 */
export async function recordAttempt(
  tx: Db,
  { id, webhookId, leaseTime }: Pick<ClaimedDelivery, "id" | "webhookId" | "leaseTime">,
  attempted: Attempted,
  now: Date,
): Promise<void> {
  const { time, duration_ms: durationMs, http_status: status, isDelivered, nextAttemptTime = null } = attempted;
  const end = sql`case when ${isDelivered} then 'DELIVERED'
    when ${nextAttemptTime}::timestamptz is null or give_up_time <= ${now} then 'FAILED' else 'PENDING' end`;
  await sql`
    with recovered as (
      update webhook set failing_since = null where ${isDelivered} and id = ${webhookId} and failing_since is not null),
    attempted as (
      update webhook_delivery set
        attempts = attempts + 1,
        failed_attempts = failed_attempts + ${isDelivered ? 0 : 1},
        -- Somebody else's, if ours had ended.
        lease_time = nullif(lease_time, ${leaseTime}),
        next_attempt_time = case when ${end} = 'PENDING' then least(${nextAttemptTime}::timestamptz, give_up_time) else next_attempt_time end,
        state = case when ${isDelivered} or state = 'PENDING' then ${end} else state end,
        end_time = case when ${isDelivered} or (state = 'PENDING' and ${end} = 'FAILED') then ${now} else end_time end
      where id = ${id} returning attempts)
    insert into webhook_attempt (delivery_id, number, time, duration_ms, http_status, error, response)
    select ${id}, attempts, ${time}, ${durationMs}, ${status}, ${storable(attempted.error)}, ${storable(attempted.response)}
    from attempted`.execute(tx);
}

/** What others say, which may be as long as the head of an answer: no longer than this, and without what a column of text does not hold. */
function storable(text: string): string {
  return text.slice(0, CHARACTERS_MAX).replaceAll("\0", "\ufffd").toWellFormed();
}

/** Gives up all that waits for a webhook. */
export async function failDeliveries(tx: Db, webhookId: string, now: Date): Promise<void> {
  await sql`
    update webhook_delivery set state = 'FAILED', end_time = ${now}, lease_time = null
    where webhook_id = ${webhookId} and state = 'PENDING'`.execute(tx);
}
