import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** The frame log, the trace of each command, and where the messages of a charger may depart from their schemas. */
export const messages: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...frameLog, ...relaxations]) await sql.raw(statement).execute(db);
  },
};

const frameLog = [
  // Tells apart frames of one millisecond. An identity would begin anew in each partition.
  "create sequence message_number",
  `create table message (
    -- No reference: it would cost each frame a look, and the log ends by itself.
    charger_id text collate "C" not null,
    time timestamptz(3) not null,
    number bigint not null default nextval('message_number'),
    direction text not null
      constraint message_direction_must_be_known check (direction in ('FROM_CHARGER', 'TO_CHARGER')),
    type text not null
      constraint message_type_must_be_known check (type in ('CALL', 'CALLRESULT', 'CALLERROR', 'UNREADABLE')),
    message_id text not null,
    -- Of an answer, that of its call; empty if nobody knows.
    action text not null,
    -- What went over the wire, without secrets and up to a limit; characters is how long it was.
    frame text not null,
    characters integer not null,
    error_code text not null,
    trace_id text not null,
    -- Of the connection that it went over.
    epoch bigint not null,
    -- Of an answer: how long after its call.
    latency_ms double precision,
    relaxations text[] not null,
    constraint message_is_listed_by_time primary key (charger_id, time, number)
  ) partition by range (time)`,
  // What comes before the partition of its day has been made.
  "create table message_default partition of message default",
  // The service may neither make tables nor drop them; these do it, for days in UTC. They give up soon, for inserts queue behind them.
  `create function make_message_partition(day date) returns void
    language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
    declare
      name text := 'message_' || to_char(day, 'YYYY_MM_DD');
      first timestamptz := day::timestamp at time zone 'UTC';
      next timestamptz := (day + 1)::timestamp at time zone 'UTC';
    begin
      perform pg_advisory_xact_lock(hashtextextended('message_partition', 0));
      if to_regclass(name) is not null then return; end if;
      execute format('create table %I (like message including all)', name);
      execute format('with moved as (delete from message_default where time >= %L and time < %L returning *)
        insert into %I select * from moved', first, next, name);
      execute format('alter table message attach partition %I for values from (%L) to (%L)', name, first, next);
    end $$`,
  `create function drop_message_partitions(before date) returns void
    language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
    declare
      name text;
    begin
      perform pg_advisory_xact_lock(hashtextextended('message_partition', 0));
      for name in
        select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'message'::regclass and relname < 'message_' || to_char(before, 'YYYY_MM_DD') and relname ~ '^message_\\d{4}_\\d\\d_\\d\\d$'
      loop
        execute format('drop table %I', name);
      end loop;
      delete from message_default where time < before::timestamp at time zone 'UTC';
    end $$`,
  // The request that it came of.
  "alter table command add column trace_id text not null default ''",
];

const known = [
  "HEX_PASSWORD_TEXT",
  "ANY_BASIC_USER",
  "EXTRA_FIELDS",
  "LONG_STRINGS",
  "ENUM_CASE",
  "UNKNOWN_WORDS",
  "TIME_WITHOUT_ZONE",
  "TIME_NOTATION",
  "NUMBER_STRINGS",
  "FRACTIONS",
  "FINE_NUMBERS",
  "NULL_FIELDS",
  "EMPTY_STRINGS",
  "MISSING_FIELDS",
  "SINGLE_ITEMS",
];
const areKnown = `check (relaxations <@ array[${known.map((name) => `'${name}'`).join(", ")}])`;

const relaxations = [
  "alter table charger drop constraint charger_relaxations_must_be_known",
  `alter table charger add constraint charger_relaxations_must_be_known ${areKnown}`,
  `create table vendor_relaxation (
    id uuid primary key default gen_random_uuid(),
    -- As chargers say them when they boot.
    vendor text not null,
    -- Empty is all of them.
    model text not null,
    relaxations text[] not null
      constraint vendor_relaxation_relaxations_must_be_known ${areKnown},
    version integer not null default 1,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now()
  )`,
  "create unique index vendor_relaxation_by_vendor on vendor_relaxation (lower(vendor), lower(model))",
  `create table relaxation_use (
    charger_id text collate "C" not null references charger on delete cascade,
    relaxation text not null,
    -- Whether messages came in by it, or were refused and would have.
    allowed boolean not null,
    count bigint not null,
    last_time timestamptz(3) not null,
    last_action text not null,
    last_field text not null,
    primary key (charger_id, relaxation, allowed)
  )`,
];
