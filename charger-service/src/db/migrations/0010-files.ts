import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Files that chargers upload and firmware that they fetch. The bytes are in the storage of files; here is what is known of them. */
export const files: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

/** What a file has once it is whole. */
const file = (table: string): string => `
    file_key uuid unique references stored_file,
    file_name text not null default '',
    size_bytes bigint,
    sha256 bytea constraint ${table}_sha256_must_be_one check (length(sha256) = 32)`;

const statements = [
  // Everything that is, or may be, in the storage. What nothing names any more is removed there, and then here.
  `create table stored_file (
    key uuid primary key,
    -- Until then it may still be written, and stays though nothing names it.
    write_time timestamptz(3) not null
  )`,
  `create table upload (
    id uuid primary key,
    number bigint generated always as identity,
    charger_id text collate "C" not null references charger on delete cascade,
    kind text not null
      constraint upload_kind_must_be_known check (kind in ('DIAGNOSTICS', 'DIAGNOSTICS_LOG', 'SECURITY_LOG')),
    state text not null default 'REQUESTED'
      constraint upload_state_must_be_known check (state in ('REQUESTED', 'UPLOADING', 'UPLOADED', 'FAILED', 'EXPIRED', 'CANCELLED')),
    status text not null default '',
    -- No reference: it may be forgotten before the file comes.
    command_id uuid not null unique,
    -- By which the charger speaks of it.
    request_id integer not null,
    log_start_time timestamptz(3),
    log_stop_time timestamptz(3),
    -- Of what stands in the URL, SHA-256.
    token_hash bytea not null unique,
    expire_time timestamptz(3) not null,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now(),${file("upload")},
    constraint upload_that_is_uploaded_has_a_file check ((state = 'UPLOADED') = (file_key is not null)),
    constraint upload_request_id_is_used_once unique (charger_id, request_id)
  )`,
  "create index upload_by_charger on upload (charger_id, number desc)",
  "create index upload_by_number on upload (number desc)",
  "create index upload_unfinished on upload (expire_time) where state in ('REQUESTED', 'UPLOADING')",
  `create table firmware_image (
    id uuid primary key,
    number bigint generated always as identity unique,
    firmware_version text not null default '',
    description text not null default '',
    -- With our key, and the certificate of that key; empty until somebody needs it.
    signature text not null default '',
    signing_certificate text not null default '',
    token_hash bytea not null unique,
    expire_time timestamptz(3) not null,
    create_time timestamptz(3) not null default now(),${file("firmware_image")}
  )`,
  `create table firmware_update (
    id uuid primary key,
    number bigint generated always as identity,
    charger_id text collate "C" not null references charger on delete cascade,
    state text not null default 'REQUESTED'
      constraint firmware_update_state_must_be_known check
        (state in ('REQUESTED', 'DOWNLOADING', 'DOWNLOADED', 'INSTALLING', 'INSTALLED', 'FAILED', 'EXPIRED', 'CANCELLED')),
    status text not null default '',
    -- What the charger said of it, oldest first: [{status, time}].
    steps jsonb not null default '[]',
    image_id uuid references firmware_image on delete set null,
    location text not null default '',
    firmware_version text not null default '',
    previous_version text not null default '',
    booted_version text not null default '',
    confirm_time timestamptz(3),
    retrieve_time timestamptz(3) not null,
    install_time timestamptz(3),
    signed boolean not null,
    signature text not null default '',
    signing_certificate text not null default '',
    command_id uuid not null unique,
    request_id integer not null,
    -- Null if it fetches it elsewhere.
    token_hash bytea unique,
    expire_time timestamptz(3) not null,
    create_time timestamptz(3) not null default now(),
    update_time timestamptz(3) not null default now(),
    constraint firmware_update_request_id_is_used_once unique (charger_id, request_id)
  )`,
  "create index firmware_update_by_charger on firmware_update (charger_id, number desc)",
  "create index firmware_update_by_image on firmware_update (image_id) where image_id is not null",
  `create index firmware_update_unfinished on firmware_update (expire_time)
    where state in ('REQUESTED', 'DOWNLOADING', 'DOWNLOADED', 'INSTALLING')`,
];
