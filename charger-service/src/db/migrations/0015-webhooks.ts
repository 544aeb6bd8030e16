import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Webhooks, what is to be delivered to them, and each attempt at it. */
export const webhooks: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `create table webhook (
    id uuid primary key default gen_random_uuid(),
    url text not null,
    -- Full names; none is all that its owner may see.
    types text[] not null default '{}',
    -- Null is any. No reference: these are what events say, and a charger may come later, or be gone.
    charger_id text collate "C",
    transaction_id text collate "C",
    -- Whether what happens to one thing comes in order: an event only once those before it of the same subject are delivered or given up.
    in_order boolean not null default false,
    description text not null default '',
    sealed_secret text not null,
    -- The one before signs beside it until then.
    sealed_previous_secret text,
    previous_secret_expire_time timestamptz(3),
    constraint webhook_previous_secret_must_end check ((sealed_previous_secret is null) = (previous_secret_expire_time is null)),
    -- Who made it, or took it over, and as whom: it never sees more than that role does.
    owner_user_id uuid not null,
    owner_role text not null
      constraint webhook_owner_role_must_be_known check (owner_role in ('OPERATOR', 'ADMIN')),
    state text not null default 'ENABLED'
      constraint webhook_state_must_be_known check (state in ('ENABLED', 'DISABLED')),
    disable_reason text
      constraint webhook_disable_reason_must_be_known check (disable_reason in ('REQUESTED', 'FAILING', 'GONE', 'OWNER_DELETED',
        'OWNER_DISABLED', 'OWNER_DEMOTED')),
    constraint webhook_disabled_must_say_why check ((state = 'DISABLED') = (disable_reason is not null)),
    -- When the first of the failures happened that no success has followed; null if there is none.
    failing_since timestamptz(3),
    version integer not null default 1,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now()
  )`,
  // Whose they are counts when a user goes. There are few, and whatever else is asked reads them all.
  "create index webhook_by_owner on webhook (owner_user_id)",
  `create table webhook_delivery (
    id bigint generated always as identity primary key,
    webhook_id uuid not null references webhook on delete cascade,
    event_id text collate "C" not null,
    -- Where the event is in the journal; null of one that is not there, because it was made for this webhook alone.
    cursor bigint,
    type text not null,
    subject text collate "C" not null,
    -- The CloudEvent.
    event jsonb not null,
    state text not null default 'PENDING'
      constraint webhook_delivery_state_must_be_known check (state in ('PENDING', 'DELIVERED', 'FAILED')),
    -- All there were, and those that failed since it was last queued, which is what the wait for the next one grows with.
    attempts integer not null default 0,
    failed_attempts integer not null default 0,
    next_attempt_time timestamptz(3) not null default now(),
    -- Until when whoever attempts it has it for itself; null if nobody does.
    lease_time timestamptz(3),
    -- When it is given up.
    give_up_time timestamptz(3) not null,
    create_time timestamptz(3) not null default now(),
    end_time timestamptz(3),
    constraint webhook_delivery_that_has_ended_says_when check ((state = 'PENDING') = (end_time is null)),
    -- However often an event comes out of the journal, it is queued once.
    constraint webhook_delivery_is_queued_once unique (webhook_id, event_id)
  )`,
  // What is due, each webhook's apart, so that the queue of a slow one is not in the way of the others.
  "create index webhook_delivery_due on webhook_delivery (webhook_id, next_attempt_time, id) where state = 'PENDING'",
  // Whether there is an older one of the same subject.
  "create index webhook_delivery_in_order on webhook_delivery (webhook_id, subject, cursor) where state = 'PENDING'",
  // Lists are newest first; what failed is what is looked for, and rare.
  "create index webhook_delivery_by_webhook on webhook_delivery (webhook_id, id desc)",
  "create index webhook_delivery_failed on webhook_delivery (webhook_id, id desc) where state = 'FAILED'",
  // What is too old to keep.
  "create index webhook_delivery_by_end_time on webhook_delivery (end_time) where state <> 'PENDING'",
  `create table webhook_attempt (
    delivery_id bigint not null references webhook_delivery on delete cascade,
    -- 1 is the first.
    number integer not null,
    time timestamptz(3) not null,
    duration_ms integer not null,
    -- Null if there was no answer; then error says why.
    http_status integer,
    error text not null default '',
    -- How the answer began.
    response text not null default '',
    primary key (delivery_id, number)
  )`,
  // The newest replay of each webhook.
  `create table webhook_replay (
    webhook_id uuid primary key references webhook on delete cascade,
    start_time timestamptz(3) not null,
    end_time timestamptz(3) not null,
    types text[] not null,
    -- How far the journal has been read, and how far it is to be.
    cursor bigint not null,
    end_cursor bigint not null,
    -- How many events were queued.
    events integer not null default 0,
    state text not null default 'RUNNING'
      constraint webhook_replay_state_must_be_known check (state in ('RUNNING', 'ENDED')),
    create_time timestamptz(3) not null default now()
  )`,
  "create index webhook_replay_running on webhook_replay (create_time) where state = 'RUNNING'",
  // How far the journal has been read for all webhooks: one row, which says so in the transaction that queues what was read.
  `create table webhook_cursor (
    cursor bigint not null,
    -- When that journal was made: another one counts anew.
    journal text not null,
    is_only boolean primary key default true
      constraint webhook_cursor_must_be_the_only_one check (is_only)
  )`,
];
