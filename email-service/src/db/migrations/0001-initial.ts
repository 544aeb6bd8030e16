import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Whom we may write to, and every mail that was or will be sent. */
export const initial: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [recipient, ...message]) await sql.raw(statement).execute(db);
  },
};

const recipient = `create table recipient (
  user_id text collate "C" primary key,
  username text not null,
  -- Empty if the user gave none.
  email text not null,
  -- Of the newest event that told us; older ones that come late change nothing.
  update_time timestamptz(3) not null
)`;

const message = [
  `create table message (
    id uuid primary key,
    to_address text not null
      constraint message_to_address_must_be_one_line check (to_address ~ '^[^\\u0001-\\u001f\\u007f]+$'),
    subject text not null
      constraint message_subject_must_be_one_line check (subject ~ '^[^\\u0001-\\u001f\\u007f]+$'),
    text text not null,
    html text,
    -- What it was made from and the event that caused it; null for one that an operator wrote.
    template text,
    event_id text collate "C",
    -- The request_id of CreateMessage.
    idempotency_key uuid
      constraint message_idempotency_key_is_used_once unique,
    -- The id that follows the request which caused it through all logs.
    request_id text,
    state text not null default 'QUEUED'
      constraint message_state_must_be_known check (state in ('QUEUED', 'SENT', 'FAILED')),
    -- Since it was queued, or queued again by hand.
    attempts integer not null default 0,
    last_error text not null default '',
    create_time timestamptz(3) not null,
    -- Whoever sends it moves this ahead while at work, so that the others leave it alone and yet find it if the sender dies.
    next_attempt_time timestamptz(3),
    give_up_time timestamptz(3) not null,
    send_time timestamptz(3),
    constraint message_is_made_once_for_an_event unique (event_id, template),
    constraint message_of_a_template_has_an_event check ((template is null) = (event_id is null)),
    constraint message_has_a_next_attempt_while_queued check ((state = 'QUEUED') = (next_attempt_time is not null)),
    constraint message_has_a_send_time_once_sent check ((state = 'SENT') = (send_time is not null))
  )`,
  "create index message_due on message (next_attempt_time) where state = 'QUEUED'",
  // Lists are newest first: all, those of a state, those to an address.
  "create index message_by_create_time on message (create_time desc, id desc)",
  "create index message_by_state on message (state, create_time desc, id desc)",
  "create index message_by_address on message (lower(to_address), create_time desc, id desc)",
];
