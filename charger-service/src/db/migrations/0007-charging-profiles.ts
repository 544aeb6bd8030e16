import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Charging profiles, where they were sent, and what chargers say that they come to. */
export const chargingProfiles: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const purposes = "in ('CHARGER_MAX', 'TRANSACTION_DEFAULT', 'TRANSACTION')";

const statements = [
  `create table charging_profile (
    id uuid primary key default gen_random_uuid(),
    display_name text not null default '',
    purpose text not null
      constraint charging_profile_purpose_must_be_known check (purpose ${purposes}),
    -- All that a charger is told of it, in the words of the contract.
    content jsonb not null,
    version integer not null default 1,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now(),
    -- Tells apart those of one millisecond.
    ordinal bigint generated always as identity
  )`,
  "create unique index charging_profile_by_ordinal on charging_profile (ordinal desc)",
  // One for all chargers: each may know any number already.
  "create sequence charging_profile_number as integer",
  `create table charging_profile_assignment (
    id uuid primary key default gen_random_uuid(),
    charging_profile_id uuid references charging_profile on delete set null,
    -- The version that was sent.
    charging_profile_version integer,
    charger_id text collate "C" not null references charger on delete cascade,
    -- 0 is the charger as a whole or, of a default, each connector.
    evse_id integer not null,
    connector_id integer not null,
    -- No reference, nor of the command: the books have their own lives.
    transaction_id integer,
    -- What the charger knows it by.
    number integer not null,
    purpose text not null
      constraint charging_profile_assignment_purpose_must_be_known check (purpose ${purposes}),
    stack_level integer not null,
    -- As it was sent.
    content jsonb not null,
    state text not null default 'PENDING'
      constraint charging_profile_assignment_state_must_be_known check (state in ('PENDING', 'INSTALLED', 'UNCERTAIN', 'REFUSED',
        'FAILED', 'REPLACED', 'CLEARED', 'ENDED')),
    status text not null default '',
    error_code text not null default '',
    command_id uuid not null,
    -- Whether a remote start carries it: then it counts from when the transaction is there.
    with_start boolean not null default false,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now(),
    ordinal bigint generated always as identity
  )`,
  // Lists are newest first, filtered by one of these.
  "create unique index charging_profile_assignment_by_ordinal on charging_profile_assignment (ordinal desc)",
  "create index charging_profile_assignment_by_profile on charging_profile_assignment (charging_profile_id, ordinal desc)",
  "create index charging_profile_assignment_by_charger on charging_profile_assignment (charger_id, ordinal desc)",
  "create index charging_profile_assignment_by_transaction on charging_profile_assignment (transaction_id) where transaction_id is not null",
  "create unique index charging_profile_assignment_by_command on charging_profile_assignment (command_id)",
  // What a charger has or may have, and which starts a sweeper must give up.
  `create index charging_profile_assignment_open on charging_profile_assignment (charger_id, number)
    where state in ('PENDING', 'INSTALLED', 'UNCERTAIN')`,
  "create index charging_profile_assignment_starting on charging_profile_assignment (create_time) where with_start and state in ('PENDING', 'UNCERTAIN')",
  // What a charger last said that its profiles come to; 0 is the charger as a whole.
  `create table reported_schedule (
    charger_id text collate "C" not null references charger on delete cascade,
    connector_id integer not null,
    command_id uuid not null,
    report jsonb not null,
    primary key (charger_id, connector_id)
  )`,
];
