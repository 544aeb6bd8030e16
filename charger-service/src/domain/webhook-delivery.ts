import { randomUUID } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { requestId, traceparentOf } from "@chargemesh/kit/request-id";
import type { Db } from "../db/schema.ts";
import { insertReplay } from "../db/webhook.ts";
import { insertDelivery, queueAgain } from "../db/webhook-delivery.ts";
import type { WebhookDeliveryRow, WebhookReplayRow, WebhookRow } from "../db/webhook-tables.ts";
import { checkEnabled, type Keeper, lockKeptWebhook } from "./webhook.ts";

/** The type of what tests a webhook: the message that the contract has for it. */
export const TESTED = "chargemesh.charger.v1.WebhookTested";

/** Queues an event for a webhook alone. FAILED_PRECONDITION if it is disabled. */
export function queueTest(db: Db, id: string, now: Date, keeper: Keeper): Promise<WebhookDeliveryRow> {
  return transact(db, async (tx) => {
    checkEnabled(await lockKeptWebhook(tx, id, keeper));
    const delivery = await insertDelivery(tx, id, testEvent(id, keeper.userId, now));
    await recordAudit(tx, { resource: `webhooks/${id}`, details: { deliveryId: String(delivery.id) } });
    return delivery;
  });
}

function testEvent(webhookId: string, userId: string, now: Date): CloudEvent {
  const id = randomUUID();
  const request = requestId();
  const traceparent = request && traceparentOf(request, id);
  return {
    specversion: "1.0",
    id,
    source: "charger-service",
    type: TESTED,
    subject: webhookId,
    time: now.toISOString(),
    datacontenttype: "application/json",
    data: { webhookId, userId },
    ...(request === undefined ? {} : { requestid: request }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Has a delivery attempted now. NOT_FOUND if the webhook has none of this id, FAILED_PRECONDITION if it is disabled. */
export function redeliver(db: Db, webhookId: string, id: number, keeper: Keeper): Promise<WebhookDeliveryRow> {
  return transact(db, async (tx) => {
    checkEnabled(await lockKeptWebhook(tx, webhookId, keeper));
    const delivery = await queueAgain(tx, webhookId, id);
    if (delivery === undefined) throw noDelivery(String(id));
    await recordAudit(tx, { resource: `webhooks/${webhookId}/deliveries/${id}` });
    return delivery;
  });
}

/** What of the journal is to be sent once more: events of these types and this time, after `cursor`, up to `end_cursor`. */
export type ReplayFacts = Pick<WebhookReplayRow, "start_time" | "end_time" | "types" | "cursor" | "end_cursor">;

/** Begins a replay. FAILED_PRECONDITION if the webhook is disabled, or has one that has not ended. */
export function beginReplay(
  db: Db,
  id: string,
  facts: ReplayFacts,
  keeper: Keeper,
): Promise<{ webhook: WebhookRow; replay: WebhookReplayRow }> {
  return transact(db, async (tx) => {
    const webhook = await lockKeptWebhook(tx, id, keeper);
    checkEnabled(webhook);
    const replay = await insertReplay(tx, { webhook_id: id, ...facts });
    if (replay === undefined)
      throw new AppError("failedPrecondition", "WEBHOOK_REPLAY_RUNNING", `A replay for webhook ${id} has not ended yet.`);
    const details = { startTime: facts.start_time.toISOString(), endTime: facts.end_time.toISOString(), types: facts.types.join(",") };
    await recordAudit(tx, { resource: `webhooks/${id}`, details });
    return { webhook, replay };
  });
}

/** NOT_FOUND for a delivery. */
export function noDelivery(id: string): AppError {
  return new AppError("notFound", "WEBHOOK_DELIVERY_NOT_FOUND", `The webhook has no delivery ${id}.`);
}
