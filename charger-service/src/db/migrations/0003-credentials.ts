import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Passwords that are rotated and revoked, relaxations at the door, secrets in commands, and idempotency keys of each user. */
export const credentials: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const relaxations = "relaxations text[] not null default '{}'";
const areKnown = "check (relaxations <@ array['HEX_PASSWORD_TEXT', 'ANY_BASIC_USER'])";

const statements = [
  `alter table charger
    add column ${relaxations} constraint charger_relaxations_must_be_known ${areKnown},
    -- When password_hash was set or, after a rotation, first shown; and when it was last shown. Null if nobody knows.
    add column password_set_time timestamptz(3),
    add column password_used_time timestamptz(3),
    -- A revoked one leaves a hash behind that nothing has, so that whoever overlooks this column lets nobody in.
    add column password_revoked boolean not null default false
      constraint charger_password_revoked_must_leave_a_hash check (not password_revoked or password_hash is not null),
    -- The newest rotation since the password was set by hand.
    add column rotate_time timestamptz(3),
    add column rotation_command_id uuid`,
  // What a charger may show besides its password: new ones that were made for it, until it shows one. The newest has the highest id.
  `create table password_rotation (
    id bigint generated always as identity primary key,
    charger_id text collate "C" not null references charger on delete cascade,
    password_hash bytea not null
      constraint password_rotation_hash_must_be_salt_and_sha256 check (length(password_hash) = 48),
    -- What carries it to the charger. No reference: it may be forgotten before the charger comes back.
    command_id uuid not null unique
  )`,
  "create index password_rotation_by_charger on password_rotation (charger_id, id)",
  // What stands for "(secret)" in the payload, encrypted, for as long as it may have to be sent.
  `alter table command add column sealed_secret text
    constraint command_that_has_ended_holds_no_secret check (sealed_secret is null or state in ('QUEUED', 'SENT'))`,
  // Whose key it is counts, so that nobody learns of another's, nor stands in its way.
  "alter table command drop constraint command_idempotency_key_is_used_once",
  `create unique index command_idempotency_key_is_used_once on command (charger_id, user_id, idempotency_key)
    where idempotency_key is not null`,
  `alter table connection add column ${relaxations} constraint connection_relaxations_must_be_known ${areKnown}`,
];
