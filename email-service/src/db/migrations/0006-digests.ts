import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** What is wrong with chargers, and what of it operators are to be told of in one mail. */
export const digests: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const KIND = (table: string): string => `kind text not null constraint ${table}_kind_must_be_known check (kind in ('OFFLINE', 'FAULTED'))`;

const statements = [
  `create table outage (
    ${KIND("outage")},
    charger_id text collate "C" not null,
    -- 0 and 0 are the charger as a whole.
    evse_id integer not null,
    connector_id integer not null,
    -- When it began and ended last, as far as we have heard, which need not be in this order: it goes on if it began after it ended.
    begin_time timestamptz(3),
    end_time timestamptz(3),
    -- Of its beginning.
    event_id text collate "C",
    -- When it becomes an alarm, unless it is over by then.
    alarm_time timestamptz(3),
    primary key (kind, charger_id, evse_id, connector_id),
    constraint outage_begins_by_an_event check ((begin_time is null) = (event_id is null)),
    constraint outage_that_is_over_raises_no_alarm check (alarm_time is null or end_time is null or end_time < begin_time)
  )`,
  "create index outage_due on outage (alarm_time) where alarm_time is not null",
  // What the next mail tells of a charger.
  `create table alarm (
    ${KIND("alarm")},
    charger_id text collate "C" not null,
    -- Of the first one.
    event_id text collate "C" not null,
    first_time timestamptz(3) not null,
    last_time timestamptz(3) not null,
    count integer not null,
    connector_ids integer[] not null,
    error_codes text[] not null,
    primary key (kind, charger_id)
  )`,
  `create table digest (
    ${KIND("digest")} primary key,
    -- When the next mail goes; null if there is nothing to tell.
    due_time timestamptz(3),
    -- When the last one went.
    send_time timestamptz(3)
  )`,
];
