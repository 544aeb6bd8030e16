import type { OutboxTable } from "@chargemesh/kit/outbox";
import type { Generated, Kysely, Selectable } from "kysely";

/** The Postgres schema of this service. */
export const SCHEMA = "email";

export type MessageState = "QUEUED" | "SENT" | "FAILED";

interface RecipientTable {
  user_id: string;
  username: string;
  email: string;
  update_time: Date;
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
}

export interface Database {
  recipient: RecipientTable;
  message: MessageTable;
  outbox: OutboxTable;
}

/** The database, or a transaction in it. */
export type Db = Kysely<Database>;

export type RecipientRow = Selectable<RecipientTable>;
export type MessageRow = Selectable<MessageTable>;
