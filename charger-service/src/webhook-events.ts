import { WebhookCreated, WebhookDeleted, WebhookDisabled, WebhookUpdated } from "@chargemesh/contracts/charger/v1/events";
import { appendEvent } from "@chargemesh/kit/outbox";
import type { Db } from "./db/schema.ts";
import type { DisableReason, WebhookRow } from "./db/webhook-tables.ts";
import { toWebhook } from "./resources/webhook.ts";

// What is told of webhooks, as events.ts tells of everything else.

export function webhookCreated(tx: Db, webhook: WebhookRow): Promise<void> {
  return appendEvent(tx, WebhookCreated, webhook.id, { webhook: toWebhook(webhook) });
}

export function webhookUpdated(tx: Db, webhook: WebhookRow): Promise<void> {
  return appendEvent(tx, WebhookUpdated, webhook.id, { webhook: toWebhook(webhook) });
}

export function webhookDisabled(tx: Db, webhook: WebhookRow, reason: DisableReason): Promise<void> {
  return appendEvent(tx, WebhookDisabled, webhook.id, { webhook: toWebhook(webhook), reason, ownerUserId: webhook.owner_user_id });
}

export function webhookDeleted(tx: Db, webhookId: string): Promise<void> {
  return appendEvent(tx, WebhookDeleted, webhookId, { webhookId });
}
