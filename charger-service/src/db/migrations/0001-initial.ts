import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Chargers, what they report, what we ask of them, and who holds their connections. */
export const initial: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...chargers, ...idTokens, ...transactions, ...meterValues, ...commands, ...connections, ...outbox]) {
      await sql.raw(statement).execute(db);
    }
  },
};

const chargers = [
  `create table charger (
    id text collate "C" primary key
      constraint charger_id_must_be_an_ocpp_identity check (id ~ '^[A-Za-z0-9*_=+|@.-]{1,48}$'),
    display_name text not null default '',
    -- A salt of 16 bytes and the SHA-256 of salt and password; null lets the charger in without one.
    password_hash bytea
      constraint charger_password_hash_must_be_salt_and_sha256 check (length(password_hash) = 48),
    registration text not null default 'ACCEPTED'
      constraint charger_registration_must_be_known check (registration in ('ACCEPTED', 'PENDING', 'REJECTED')),
    availability text not null default 'AVAILABLE'
      constraint charger_availability_must_be_known check (availability in ('AVAILABLE', 'UNAVAILABLE')),
    protocol text not null default '',
    vendor text not null default '',
    model text not null default '',
    serial_number text not null default '',
    firmware_version text not null default '',
    boot_count integer not null default 0,
    boot_time timestamptz(3),
    -- The newest connection has the highest epoch; replica_id is who holds it, null if nobody does.
    epoch bigint not null default 0,
    replica_id uuid,
    version integer not null default 1,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now()
  )`,
  // A replica that is gone is swept by its chargers; every replica looks after its own.
  "create index charger_by_replica on charger (replica_id) where replica_id is not null",
  // Beside charger, so that liveness, which changes all the time, rewrites a narrow row that no index knows.
  `create table charger_liveness (
    charger_id text collate "C" primary key references charger on delete cascade,
    last_seen_time timestamptz(3) not null
  ) with (fillfactor = 50)`,
  `create table connector (
    charger_id text collate "C" not null references charger on delete cascade,
    -- 0 and 0 stand for the charger as a whole.
    evse_id integer not null,
    connector_id integer not null,
    status text not null
      constraint connector_status_must_be_known check (status in ('AVAILABLE', 'PREPARING', 'CHARGING', 'SUSPENDED_EV',
        'SUSPENDED_EVSE', 'FINISHING', 'RESERVED', 'UNAVAILABLE', 'FAULTED', 'OCCUPIED')),
    error_code text not null,
    info text not null,
    vendor_id text not null,
    vendor_error_code text not null,
    status_time timestamptz(3) not null,
    primary key (charger_id, evse_id, connector_id)
  )`,
];

const idTokens = [
  `create table id_token (
    id_token text collate "C" not null
      constraint id_token_must_be_printable check (id_token ~ '^[!-~]([ -~]*[!-~])?$' and length(id_token) <= 36),
    -- Id tokens compare without regard to case.
    folded text collate "C" primary key generated always as (lower(id_token)) stored,
    type text not null default 'ISO14443',
    status text not null default 'ACCEPTED'
      constraint id_token_status_must_be_known check (status in ('ACCEPTED', 'BLOCKED')),
    expiry_time timestamptz(3),
    parent_id_token text collate "C" not null default '',
    user_id uuid,
    version integer not null default 1,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now()
  )`,
  // Lists are newest first, a driver's own by user.
  "create index id_token_by_create_time on id_token (create_time desc, folded desc)",
  "create index id_token_by_user on id_token (user_id, create_time desc, folded desc) where user_id is not null",
];

const transactions = [
  `create table transaction (
    -- OCPP 1.6 wants an integer for its transactionId.
    id integer generated always as identity primary key,
    -- No reference: the books outlive the charger.
    charger_id text collate "C" not null,
    evse_id integer not null,
    connector_id integer not null,
    id_token text collate "C" not null,
    -- What the charger was told about the id token, so that a repeat is told the same.
    id_token_status text not null,
    user_id uuid,
    state text not null
      constraint transaction_state_must_be_known check (state in ('ACTIVE', 'STOPPED')),
    start_time timestamptz(3),
    stop_time timestamptz(3),
    meter_start_wh double precision,
    meter_last_wh double precision,
    meter_last_time timestamptz(3),
    meter_stop_wh double precision,
    power_w double precision,
    stop_reason text not null default '',
    stop_id_token text collate "C" not null default '',
    flags text[] not null default '{}',
    -- The charger's boot count where its clock was unset at the start, else 0: without it two boots could tell the same start.
    boot_count integer not null default 0,
    -- The number under which a stop without a start came.
    reported_id bigint,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now()
  )`,
  // A start is ingested exactly once, by content.
  `create unique index transaction_start_is_ingested_once on transaction
    (charger_id, connector_id, lower(id_token), start_time, meter_start_wh, boot_count) where reported_id is null`,
  // A stop without a start, too.
  `create unique index transaction_orphan_stop_is_ingested_once on transaction
    (charger_id, reported_id, stop_time, meter_stop_wh, boot_count) where reported_id is not null`,
  // What is charging at a charger, and with an id token.
  "create index transaction_active_by_charger on transaction (charger_id, connector_id) where state = 'ACTIVE'",
  "create index transaction_active_by_id_token on transaction (lower(id_token)) where state = 'ACTIVE'",
  // Lists are newest first, filtered by one of these.
  "create index transaction_by_charger on transaction (charger_id, id desc)",
  "create index transaction_by_id_token on transaction (lower(id_token), id desc)",
  "create index transaction_by_user on transaction (user_id, id desc) where user_id is not null",
];

const meterValues = [
  `create table meter_value (
    charger_id text collate "C" not null,
    evse_id integer not null,
    connector_id integer not null,
    -- 0 where the charger named none of its transactions.
    transaction_id integer not null,
    time timestamptz(3) not null,
    payload_hash uuid not null,
    sampled_values jsonb not null,
    -- A reading is ingested exactly once, by content. Led by the transaction, because that is how it is read.
    constraint meter_value_is_ingested_once primary key (transaction_id, time, charger_id, connector_id, payload_hash)
  ) partition by range (time)`,
  // Whatever an unset clock says has a place.
  "create table meter_value_default partition of meter_value default",
  // The service may not make tables; this makes the partitions of the given month for it. What strayed into the default one moves over.
  `create function make_meter_value_partition(month date) returns void
    language plpgsql security definer set search_path from current as $$
    declare
      first date := date_trunc('month', month);
      name text := 'meter_value_' || to_char(first, 'YYYY_MM');
    begin
      perform pg_advisory_xact_lock(hashtextextended('meter_value_partition', 0));
      if to_regclass(name) is not null then return; end if;
      execute format('create table %I (like meter_value including all)', name);
      execute format('with moved as (delete from meter_value_default where time >= %L and time < %L returning *)
        insert into %I select * from moved', first::timestamp at time zone 'UTC', (first + interval '1 month') at time zone 'UTC', name);
      execute format('alter table meter_value attach partition %I for values from (%L) to (%L)', name,
        first::timestamp at time zone 'UTC', (first + interval '1 month') at time zone 'UTC');
    end $$`,
];

const commands = [
  `create table command (
    id uuid primary key default gen_random_uuid(),
    charger_id text collate "C" not null references charger on delete cascade,
    action text not null,
    payload jsonb not null,
    state text not null default 'QUEUED'
      constraint command_state_must_be_known check (state in ('QUEUED', 'SENT', 'ACCEPTED', 'REJECTED', 'FAILED', 'TIMED_OUT', 'EXPIRED')),
    status text not null default '',
    response jsonb,
    error_code text not null default '',
    error_description text not null default '',
    transaction_id integer,
    -- Of a remote start: what the transaction that it leads to will say. 0 is any connector.
    start_id_token text collate "C",
    start_connector_id integer,
    idempotency_key text,
    -- Who asked; null if nobody did.
    user_id uuid,
    -- The connection that it was sent on.
    epoch bigint,
    create_time timestamptz(3) not null default now(),
    send_time timestamptz(3),
    end_time timestamptz(3),
    expire_time timestamptz(3) not null,
    -- Tells apart commands of one millisecond.
    number bigint generated always as identity,
    constraint command_idempotency_key_is_used_once unique (charger_id, idempotency_key)
  )`,
  "create index command_by_charger on command (charger_id, number desc)",
  // What waits for a charger, what a sweeper must end, and which remote start a transaction came of.
  "create index command_unfinished on command (charger_id, number) where state in ('QUEUED', 'SENT')",
  "create index command_remote_start on command (charger_id, lower(start_id_token), number) where start_id_token is not null and transaction_id is null",
];

const connections = [
  `create table replica (
    id uuid primary key,
    lease_time timestamptz(3) not null
  )`,
  `create table connection (
    id bigint generated always as identity primary key,
    -- No reference: whoever knocks may claim any identity.
    charger_id text collate "C" not null,
    state text not null
      constraint connection_state_must_be_known check (state in ('OPEN', 'CLOSED', 'REFUSED')),
    reason text not null default '',
    remote_address text not null default '',
    offered_protocols text[] not null default '{}',
    protocol text not null default '',
    -- Of one that was let in.
    epoch bigint,
    open_time timestamptz(3) not null default now(),
    close_time timestamptz(3),
    -- Refusals of one kind within a minute share a row: the minute since 1970, and how many they are.
    minute bigint,
    count integer not null default 1
  )`,
  `create unique index connection_refusals_share_a_row on connection (charger_id, reason, remote_address, minute) where state = 'REFUSED'`,
  "create unique index connection_by_epoch on connection (charger_id, epoch) where epoch is not null",
  "create index connection_by_charger on connection (charger_id, id desc)",
];

const outbox = [
  `create table outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null default gen_random_uuid(),
    type text not null,
    aggregate_id text not null,
    data jsonb not null,
    request_id text,
    -- When it was written, not when its transaction began.
    create_time timestamptz(3) not null default clock_timestamp()
  )`,
];
