import type { Role } from "@chargemesh/kit/identity";
import type { OutboxTable } from "@chargemesh/kit/outbox";
import type { Generated, Kysely, Selectable } from "kysely";

/** The Postgres schema of this service. */
export const SCHEMA = "email";

export type MessageState = "QUEUED" | "SENT" | "FAILED";

/** What people may want no mails of. */
export const optOutCategories = ["CHARGING", "RESERVATION", "OPERATION"] as const;

export type OptOutCategory = (typeof optOutCategories)[number];

/** What may be wrong with a charger. */
export type OutageKind = "OFFLINE" | "FAULTED";

interface RecipientTable {
  user_id: string;
  username: string;
  email: string;
  language: Generated<string>;
  role: Generated<Role>;
  is_disabled: Generated<boolean>;
  update_time: Date;
}

interface OptOutTable {
  user_id: string;
  category: OptOutCategory;
  create_time: Date;
}

interface MessageTable {
  id: string;
  to_address: string;
  subject: string;
  text: string;
  html: string | null;
  template: string | null;
  event_id: string | null;
  idempotency_key: string | null;
  request_id: string | null;
  state: Generated<MessageState>;
  attempts: Generated<number>;
  last_error: Generated<string>;
  create_time: Date;
  next_attempt_time: Date | null;
  give_up_time: Date;
  send_time: Date | null;
  sealed_link: string | null;
  is_forgotten_once_done: Generated<boolean>;
  bounce_code: number | null;
  bounce_status: string | null;
  bounce_text: string | null;
  user_id: string | null;
  category: OptOutCategory | null;
}

interface OutageTable {
  kind: OutageKind;
  charger_id: string;
  evse_id: number;
  connector_id: number;
  begin_time: Date | null;
  end_time: Date | null;
  event_id: string | null;
  alarm_time: Date | null;
}

interface AlarmTable {
  kind: OutageKind;
  charger_id: string;
  event_id: string;
  first_time: Date;
  last_time: Date;
  count: number;
  connector_ids: number[];
  error_codes: string[];
}

interface DigestTable {
  kind: OutageKind;
  due_time: Date | null;
  send_time: Date | null;
}

export interface Database {
  recipient: RecipientTable;
  opt_out: OptOutTable;
  message: MessageTable;
  outage: OutageTable;
  alarm: AlarmTable;
  digest: DigestTable;
  outbox: OutboxTable;
}

/** The database, or a transaction in it. */
export type Db = Kysely<Database>;

export type RecipientRow = Selectable<RecipientTable>;
export type MessageRow = Selectable<MessageTable>;
export type AlarmRow = Selectable<AlarmTable>;
