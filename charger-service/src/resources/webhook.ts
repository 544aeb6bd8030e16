import type { Webhook, WebhookReplay } from "@chargemesh/contracts/charger/v1/webhook";
import type { WebhookDelivery } from "@chargemesh/contracts/charger/v1/webhook_delivery";
import type { WebhookAttemptRow, WebhookDeliveryRow, WebhookReplayRow, WebhookRow } from "../db/webhook-tables.ts";

/** Without its secret. */
export function toWebhook(row: WebhookRow, replay?: WebhookReplayRow): Webhook {
  return {
    id: row.id,
    url: row.url,
    types: row.types,
    chargerId: row.charger_id ?? "",
    transactionId: row.transaction_id ?? "",
    inOrder: row.in_order,
    description: row.description,
    state: row.state,
    disableReason: row.disable_reason ?? "DISABLE_REASON_UNSPECIFIED",
    failingTime: row.failing_since ?? undefined,
    ownerUserId: row.owner_user_id,
    ownerRole: row.owner_role,
    secret: "",
    previousSecretExpireTime: row.previous_secret_expire_time ?? undefined,
    replay: replay && toWebhookReplay(replay),
    createTime: row.create_time,
    updateTime: row.update_time,
    etag: String(row.version),
  };
}

function toWebhookReplay(row: WebhookReplayRow): WebhookReplay {
  return {
    state: row.state,
    startTime: row.start_time,
    endTime: row.end_time,
    types: row.types,
    eventCount: row.events,
    createTime: row.create_time,
  };
}

export function toWebhookDelivery(row: WebhookDeliveryRow, attempts: readonly WebhookAttemptRow[] = []): WebhookDelivery {
  const isPending = row.state === "PENDING";
  return {
    id: String(row.id),
    webhookId: row.webhook_id,
    eventId: row.event_id,
    cursor: row.cursor === null ? "" : String(row.cursor),
    type: row.type,
    subject: row.subject,
    event: { ...row.event },
    state: row.state,
    attemptCount: row.attempts,
    nextAttemptTime: isPending ? row.next_attempt_time : undefined,
    giveUpTime: isPending ? row.give_up_time : undefined,
    createTime: row.create_time,
    endTime: row.end_time ?? undefined,
    attempts: attempts.map((attempt) => ({
      number: attempt.number,
      time: attempt.time,
      durationMs: attempt.duration_ms,
      httpStatus: attempt.http_status ?? 0,
      error: attempt.error,
      response: attempt.response,
    })),
  };
}
