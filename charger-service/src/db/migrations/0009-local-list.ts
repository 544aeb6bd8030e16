import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** The lists by which chargers authorize while they are offline. */
export const localLists: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `create table local_list (
    charger_id text collate "C" primary key references charger on delete cascade,
    mode text not null default 'OFF'
      constraint local_list_mode_must_be_known check (mode in ('OFF', 'ALL', 'SELECTED')),
    -- Of the newest update that the charger has taken.
    version integer not null default 0,
    -- What the charger itself said last: 0 for an empty list, -1 if it keeps none.
    charger_version integer,
    charger_version_time timestamptz(3),
    -- Something may have changed since the charger was last told.
    is_due boolean not null default false,
    -- What the charger has is not what we believe, so that the next update replaces all of it.
    must_replace boolean not null default true,
    -- The update under way.
    command_id uuid,
    -- How the charger put it that it did not take the last update; empty if it did.
    refusal text not null default '',
    -- Not to be told again before this, after a refusal.
    retry_time timestamptz(3),
    -- When the next of its id tokens expires.
    next_expiry_time timestamptz(3),
    -- Id tokens that should be on it and have no room there.
    omitted integer not null default 0,
    update_time timestamptz(3)
  )`,
  "create index local_list_by_command on local_list (command_id) where command_id is not null",
  // What is on the list of a charger, as far as it has taken what it was told.
  `create table local_list_entry (
    charger_id text collate "C" not null references charger on delete cascade,
    id_token text collate "C" not null,
    folded text collate "C" generated always as (lower(id_token)) stored,
    status text not null,
    expiry_time timestamptz(3),
    parent_id_token text collate "C" not null,
    primary key (charger_id, folded)
  )`,
  "create index local_list_entry_by_id_token on local_list_entry (folded)",
  // What an operator has chosen for a list of the mode SELECTED.
  `create table local_list_token (
    charger_id text collate "C" not null references charger on delete cascade,
    folded text collate "C" not null references id_token on delete cascade,
    create_time timestamptz(3) not null default now(),
    primary key (charger_id, folded)
  )`,
  "create index local_list_token_by_id_token on local_list_token (folded)",
  // Id tokens that have changed since lists were last told of it. Whoever writes one need not know who has it on a list.
  `create table id_token_change (
    id bigint generated always as identity primary key,
    folded text collate "C" not null
  )`,
  `create function note_id_token_change() returns trigger language plpgsql set search_path from current as $$
    begin
      insert into id_token_change (folded) values (coalesce(new.folded, old.folded));
      return null;
    end $$`,
  `create trigger id_token_changes_are_noted after insert or delete or update on id_token
    for each row execute function note_id_token_change()`,
];
