import { transact } from "@chargemesh/kit/postgres";
import type { Db } from "../db/schema.ts";
import { beginFailing, type ClaimedDelivery, failDeliveries, recordAttempt } from "../db/webhook-sending.ts";
import { disableFailing } from "../domain/webhook-disabling.ts";
import { readRetryAfter, waitAfter } from "./retry.ts";
import type { Outcome } from "./send.ts";

/** A webhook that has done nothing but fail for so long is disabled, in ms. */
const FAILING_MAX_MS = 24 * 3_600_000;
/** The receiver wants nothing more (Standard Webhooks, "Delivery success and failure"). */
const GONE = 410;

/** An attempt that was made, when it began, and when its outcome was known. */
export interface Made {
  delivery: ClaimedDelivery;
  outcome: Outcome;
  time: Date;
  now: Date;
}

/** Until when the receiver wants to be left alone; undefined if it does not say. */
export function pauseOf({ outcome: { status, retryAfter }, now }: Made): Date | undefined {
  return status === 429 || status === 503 ? readRetryAfter(retryAfter, now) : undefined;
}

/** Writes down what came of an attempt: for the delivery, and for its webhook, which may be disabled by it. All of it, or nothing. */
export async function record(db: Db, made: Made): Promise<void> {
  const { delivery, outcome, time, now } = made;
  const { webhookId } = delivery;
  const { status, error, response, durationMs } = outcome;
  const attempt = { time, duration_ms: durationMs, http_status: status ?? null, error, response };
  if (error === "") return recordAttempt(db, delivery, { ...attempt, isDelivered: true, nextAttemptTime: undefined }, now);
  await transact(db, async (tx) => {
    // The webhook before its deliveries, as everybody locks them.
    const webhook = await beginFailing(tx, webhookId, now);
    // What was answered at a URL that it had before, says nothing of it.
    const isGone = status === GONE && webhook?.url === delivery.url;
    const nextAttemptTime = isGone ? undefined : nextTime(made);
    await recordAttempt(tx, delivery, { ...attempt, isDelivered: false, nextAttemptTime }, now);
    if (webhook === undefined) return;
    const isFailing = now.getTime() - webhook.failingSince.getTime() >= FAILING_MAX_MS;
    if (!isGone && !isFailing) return;
    await disableFailing(tx, webhookId, isGone ? "GONE" : "FAILING");
    await failDeliveries(tx, webhookId, now);
  });
}

/** When to try again: after a while, and not before the receiver wants it. */
function nextTime(made: Made): Date {
  const { delivery, now } = made;
  const time = now.getTime() + waitAfter(delivery.failedAttempts + 1);
  return new Date(Math.max(time, pauseOf(made)?.getTime() ?? 0));
}
