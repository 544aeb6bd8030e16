import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Messages of vendors' own: those that are made known, and what was said. */
export const dataTransfers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `create table vendor_message (
    id uuid primary key default gen_random_uuid(),
    vendor_id text collate "C" not null,
    -- Empty is any, and none.
    message_id text collate "C" not null default '',
    answer_status text not null
      constraint vendor_message_answer_status_must_be_known check (answer_status in ('ACCEPTED', 'REJECTED')),
    answer_data text not null default '',
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now()
  )`,
  // Both compare without regard to case.
  "create unique index vendor_message_is_known_once on vendor_message (lower(vendor_id), lower(message_id))",
  `create table data_transfer (
    id bigint generated always as identity primary key,
    charger_id text collate "C" not null references charger on delete cascade,
    direction text not null
      constraint data_transfer_direction_must_be_known check (direction in ('FROM_CHARGER', 'TO_CHARGER')),
    vendor_id text not null,
    message_id text not null,
    data text not null,
    -- How it was answered.
    status text not null,
    answer_data text not null,
    -- Of one to a charger: the command that it is.
    command_id uuid,
    create_time timestamptz(3) not null default now()
  )`,
  "create index data_transfer_by_charger on data_transfer (charger_id, id desc)",
  "create index data_transfer_by_create_time on data_transfer (create_time)",
];
