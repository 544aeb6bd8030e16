import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** What chargers keep for whom. */
export const reservations: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  // One for all chargers: each may know any number already, by another back end or by a command that was written by hand.
  "create sequence reservation_number as integer",
  `create table reservation (
    id uuid primary key default gen_random_uuid(),
    charger_id text collate "C" not null references charger on delete cascade,
    -- What the charger knows it by.
    number integer not null,
    -- 0 is any one of the charger.
    evse_id integer not null,
    connector_id integer not null,
    id_token text collate "C" not null,
    parent_id_token text collate "C" not null default '',
    user_id uuid,
    expire_time timestamptz(3) not null,
    state text not null default 'PENDING'
      constraint reservation_state_must_be_known check (state in ('PENDING', 'ACTIVE', 'UNCERTAIN', 'REFUSED', 'FAILED', 'USED',
        'CANCELLED', 'EXPIRED', 'REMOVED')),
    -- The charger's own word, and what kept it from saying one.
    status text not null default '',
    error_code text not null default '',
    -- With USED. No reference, nor of the commands: the books have their own lives.
    transaction_id integer,
    reserve_command_id uuid,
    cancel_command_id uuid,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now(),
    -- Tells apart those of one millisecond.
    ordinal bigint generated always as identity,
    constraint reservation_number_is_used_once_at_a_charger unique (charger_id, number)
  )`,
  // Lists are newest first, filtered by one of these.
  "create unique index reservation_by_ordinal on reservation (ordinal desc)",
  "create index reservation_by_charger on reservation (charger_id, ordinal desc)",
  "create index reservation_by_id_token on reservation (lower(id_token), ordinal desc)",
  "create index reservation_by_user on reservation (user_id, ordinal desc) where user_id is not null",
  // What a start or a status may be about, and what a sweeper must end.
  "create index reservation_open on reservation (charger_id, connector_id) where state in ('PENDING', 'ACTIVE', 'UNCERTAIN')",
  "create index reservation_by_expire_time on reservation (expire_time) where state in ('ACTIVE', 'UNCERTAIN')",
  "create unique index reservation_by_command on reservation (reserve_command_id) where reserve_command_id is not null",
];
