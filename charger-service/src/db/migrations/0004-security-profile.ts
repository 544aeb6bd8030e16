import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** By what a charger must come in, what its connections came in by, and what was said on them. */
export const securityProfile: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const isKnown = (name: string): string => `constraint ${name}_security_profile_must_be_known check (security_profile in (0, 1, 2, 3))`;

const statements = [
  `alter table charger
    -- Of those up to 1 password_hash tells which it is: with one it is 1, without it is 0.
    add column security_profile smallint not null default 1 ${isKnown("charger")},
    -- Whom its certificate must be for; empty means its id.
    add column certificate_name text collate "C" not null default ''`,
  `alter table connection
    add column security_profile smallint not null default 0 ${isKnown("connection")},
    -- Empty if it was in plaintext, or TLS ended before it reached us.
    add column tls_version text not null default '',
    add column tls_cipher text not null default '',
    -- What was shown, whether it proved anything or not.
    add column certificate_subject text not null default '',
    add column certificate_serial_number text not null default '',
    add column certificate_expire_time timestamptz(3),
    add column detail text not null default '',
    add column frames_received integer not null default 0,
    add column frames_sent integer not null default 0,
    add column frames_refused integer not null default 0,
    add column frames_ignored integer not null default 0,
    add column frames_slowed integer not null default 0`,
];
