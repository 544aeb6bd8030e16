import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Certificates of chargers: what they ask for, what they got, which roots they say they trust; and what they report of their security. */
export const certificates: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const hashAlgorithms = "check (hash_algorithm in ('SHA256', 'SHA384', 'SHA512'))";

const statements = [
  `create table certificate_request (
    id uuid primary key default gen_random_uuid(),
    charger_id text collate "C" not null references charger on delete cascade,
    -- As PEM. Of one that was refused whatever the charger sent.
    csr text not null,
    state text not null
      constraint certificate_request_state_must_be_known check (state in ('PENDING', 'SIGNED', 'REJECTED', 'REPLACED')),
    -- Why it was rejected.
    reason text not null default '',
    subject text not null default '',
    -- Such as "EC P-256" and "RSA 2048".
    key text not null default '',
    -- Who decided; null if nobody did.
    user_id uuid,
    create_time timestamptz(3) not null default now(),
    decide_time timestamptz(3),
    number bigint generated always as identity
  )`,
  "create index certificate_request_by_number on certificate_request (number desc)",
  "create index certificate_request_by_charger on certificate_request (charger_id, number desc)",
  "create unique index certificate_request_pends_once on certificate_request (charger_id) where state = 'PENDING'",
  `create table certificate (
    id uuid primary key default gen_random_uuid(),
    -- No reference: whoever forgets a charger must not forget that its certificates are revoked.
    charger_id text collate "C" not null,
    request_id uuid,
    state text not null default 'PENDING_INSTALL'
      constraint certificate_state_must_be_known check (state in ('PENDING_INSTALL', 'INSTALLED', 'REJECTED', 'SUPERSEDED', 'REVOKED')),
    -- Hexadecimal digits, as the certificate has them.
    serial_number text not null
      constraint certificate_serial_number_is_used_once unique,
    -- SHA-256 of the certificate, in hexadecimal digits.
    fingerprint text not null
      constraint certificate_fingerprint_must_be_sha256 check (fingerprint ~ '^[0-9a-f]{64}$')
      constraint certificate_fingerprint_is_used_once unique,
    subject text not null,
    issuer text not null,
    not_before timestamptz(3) not null,
    not_after timestamptz(3) not null,
    -- As PEM: itself, and behind it what stands between it and the root.
    chain text not null,
    -- What carries it to the charger; null until it is on its way.
    command_id uuid,
    install_time timestamptz(3),
    revoke_time timestamptz(3),
    -- When the charger was asked to renew it, and the command that asked.
    renew_time timestamptz(3),
    renew_command_id uuid,
    create_time timestamptz(3) not null default now(),
    number bigint generated always as identity
  )`,
  "create index certificate_by_charger on certificate (charger_id, number desc)",
  "create index certificate_by_request on certificate (request_id)",
  // What a command that ends may be about.
  "create index certificate_by_command on certificate (command_id) where state = 'PENDING_INSTALL'",
  "create index certificate_by_renew_command on certificate (renew_command_id) where renew_command_id is not null",
  // What is to be sent, and what is to be renewed.
  "create index certificate_unsent on certificate (charger_id) where state = 'PENDING_INSTALL' and command_id is null",
  "create index certificate_renewable on certificate (not_after) where state = 'INSTALLED' and renew_command_id is null",

  `create table root_certificate (
    fingerprint text primary key
      constraint root_certificate_fingerprint_must_be_sha256 check (fingerprint ~ '^[0-9a-f]{64}$'),
    subject text not null,
    not_after timestamptz(3) not null,
    -- As PEM.
    certificate text not null,
    create_time timestamptz(3) not null default now()
  )`,
  // By what chargers call a certificate: hexadecimal digits in lower case, the serial number without zeros before it.
  `create table root_certificate_hash (
    hash_algorithm text not null
      constraint root_certificate_hash_algorithm_must_be_known ${hashAlgorithms},
    issuer_name_hash text not null,
    serial_number text not null,
    fingerprint text not null references root_certificate on delete cascade,
    constraint root_certificate_hash_pkey primary key (hash_algorithm, issuer_name_hash, serial_number, fingerprint)
  )`,
  // When a charger last said what it has of a type; without a row, it never did.
  `create table installed_certificate_list (
    charger_id text collate "C" not null references charger on delete cascade,
    type text not null
      constraint installed_certificate_list_type_must_be_known check (type in ('CENTRAL_SYSTEM_ROOT', 'MANUFACTURER_ROOT')),
    list_time timestamptz(3) not null,
    constraint installed_certificate_list_pkey primary key (charger_id, type)
  )`,
  `create table installed_certificate (
    id uuid primary key default gen_random_uuid(),
    charger_id text collate "C" not null,
    type text not null,
    hash_algorithm text not null
      constraint installed_certificate_hash_algorithm_must_be_known ${hashAlgorithms},
    -- As the charger writes them.
    issuer_name_hash text not null,
    issuer_key_hash text not null,
    serial_number text not null,
    constraint installed_certificate_is_listed foreign key (charger_id, type) references installed_certificate_list on delete cascade,
    constraint installed_certificate_is_listed_once
      unique (charger_id, type, hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number)
  )`,

  `create table security_event (
    id bigint generated always as identity primary key,
    -- No reference: what happened stays, whoever forgets the charger.
    charger_id text collate "C" not null,
    type text not null,
    is_critical boolean not null,
    tech_info text not null,
    -- As the charger says.
    time timestamptz(3) not null,
    create_time timestamptz(3) not null default now(),
    -- A charger that has not heard our answer says it again.
    constraint security_event_is_kept_once unique (charger_id, time, type, tech_info)
  )`,
  "create index security_event_by_charger on security_event (charger_id, id desc)",
  "create index security_event_by_type on security_event (type, id desc)",
  "create index security_event_by_create_time on security_event (create_time)",
];
