import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** What chargers are set to, as they say it, beside what they are wanted to be set to. */
export const configuration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `create table configuration_key (
    charger_id text collate "C" not null references charger on delete cascade,
    -- As the charger spells it.
    key text collate "C" not null,
    -- Keys compare without regard to case.
    folded text collate "C" generated always as (lower(key)) stored,
    -- What the charger says, or has taken from us. Null if it says none, or was never read.
    value text,
    read_only boolean not null default false,
    -- The charger says that it has no such key.
    is_unknown boolean not null default false,
    read_time timestamptz(3),
    -- Null if nobody wants anything.
    wanted_value text,
    wanted_time timestamptz(3),
    wanted_user_id uuid,
    -- Not answered yet; taken, but only after the next boot; that boot has come; taken; refused.
    wanted_state text
      constraint configuration_key_wanted_state_must_be_known check (wanted_state in ('WAITING', 'REBOOT', 'BOOTED', 'TAKEN', 'REFUSED')),
    -- How often the charger was sent the wanted value and did not answer.
    unanswered integer not null default 0,
    -- The newest command that carries the wanted value. No reference: commands may be forgotten.
    command_id uuid,
    state text not null
      constraint configuration_key_state_must_be_known
        check (state in ('UNMANAGED', 'IN_SYNC', 'DRIFTED', 'PENDING', 'UNKNOWN_TO_CHARGER')),
    primary key (charger_id, folded),
    constraint configuration_key_is_wanted_or_not check ((wanted_value is null) = (wanted_state is null))
  )`,
  "create index configuration_key_by_command on configuration_key (command_id) where command_id is not null",
  // When the whole configuration was last asked for, so that a charger that boots again and again is not asked each time.
  `create table configuration_reading (
    charger_id text collate "C" primary key references charger on delete cascade,
    begin_time timestamptz(3) not null
  )`,
  // What of its configuration says how much may be asked of a charger at once. Null if it does not say.
  `create table charger_limit (
    charger_id text collate "C" primary key references charger on delete cascade,
    keys_per_reading integer,
    list_entries integer,
    list_entries_per_update integer
  )`,
];
