import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import type { ColumnType, Generated, GeneratedAlways, Selectable } from "kysely";

// The tables of webhooks; migrations 0015 and 0016 have them.

export type WebhookRole = "OPERATOR" | "ADMIN";
export type WebhookState = "ENABLED" | "DISABLED";
/** Why a webhook is disabled; the contract says what each means. */
export type DisableReason = "REQUESTED" | "FAILING" | "GONE" | "OWNER_DELETED" | "OWNER_DISABLED" | "OWNER_DEMOTED";
export type DeliveryState = "PENDING" | "DELIVERED" | "FAILED";
export type ReplayState = "RUNNING" | "ENDED";

interface WebhookTable {
  id: Generated<string>;
  url: string;
  types: string[];
  charger_id: string | null;
  transaction_id: string | null;
  in_order: boolean;
  description: string;
  sealed_secret: string;
  sealed_previous_secret: string | null;
  previous_secret_expire_time: Date | null;
  owner_user_id: string;
  owner_role: WebhookRole;
  state: Generated<WebhookState>;
  disable_reason: DisableReason | null;
  failing_since: Date | null;
  version: Generated<number>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

interface WebhookDeliveryTable {
  id: GeneratedAlways<number>;
  webhook_id: string;
  event_id: string;
  /** Null of one that is not in the journal. */
  cursor: number | null;
  type: string;
  subject: string;
  event: ColumnType<CloudEvent, string, never>;
  state: Generated<DeliveryState>;
  /** All there were. */
  attempts: Generated<number>;
  /** Those that failed since it was last queued. */
  failed_attempts: Generated<number>;
  next_attempt_time: Generated<Date>;
  lease_time: Date | null;
  give_up_time: Date;
  create_time: Generated<Date>;
  end_time: Date | null;
}

interface WebhookAttemptTable {
  delivery_id: number;
  number: number;
  time: Date;
  duration_ms: number;
  http_status: number | null;
  error: Generated<string>;
  response: Generated<string>;
}

interface WebhookReplayTable {
  webhook_id: string;
  start_time: Date;
  end_time: Date;
  types: string[];
  cursor: number;
  end_cursor: number;
  events: Generated<number>;
  state: Generated<ReplayState>;
  create_time: Generated<Date>;
}

interface WebhookCursorTable {
  cursor: number;
  /** When the journal that it is of was made. */
  journal: string;
  is_only: Generated<boolean>;
}

interface UserStandingTable {
  user_id: string;
  role: "DRIVER" | "OPERATOR" | "ADMIN" | null;
  time: Date;
}

/** Webhooks, their deliveries, how far the journal has been read for them, and what those are who keep them. */
export interface WebhookTables {
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
  webhook_attempt: WebhookAttemptTable;
  webhook_replay: WebhookReplayTable;
  webhook_cursor: WebhookCursorTable;
  user_standing: UserStandingTable;
}

export type WebhookRow = Selectable<WebhookTable>;
export type WebhookDeliveryRow = Selectable<WebhookDeliveryTable>;
export type WebhookAttemptRow = Selectable<WebhookAttemptTable>;
export type WebhookReplayRow = Selectable<WebhookReplayTable>;
export type WebhookCursorRow = Pick<Selectable<WebhookCursorTable>, "cursor" | "journal">;
