import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** Sessions that their users can tell apart, keys for programs, users of other identity providers. */
export const tokens: Migration = {
  async up(db) {
    await sql`
      alter table session
        add column previous_hash bytea,
        add column remote_address text not null default '',
        add column user_agent text not null default ''`.execute(db);
    await sql`create index session_by_expire_time on session (expire_time)`.execute(db);
    await sql`
      alter table "user"
        add column issuer text,
        add column subject text,
        add constraint user_must_have_issuer_and_subject_or_neither check ((issuer is null) = (subject is null)),
        add constraint user_external_must_be_unique unique (issuer, subject)`.execute(db);
    await sql`
      create table api_key (
        id uuid primary key,
        user_id uuid not null references "user" on delete cascade,
        secret_hash bytea not null
          constraint api_key_secret_must_be_unique unique,
        display_name text not null,
        role text not null
          constraint api_key_role_must_be_known check (role in ('DRIVER', 'OPERATOR', 'ADMIN')),
        scopes text[] not null,
        charger_ids text[] not null,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        last_use_time timestamptz(3)
      )`.execute(db);
    await sql`create index api_key_by_create_time on api_key (create_time, id)`.execute(db);
    await sql`create index api_key_by_user on api_key (user_id, create_time, id)`.execute(db);
    await sql`create index api_key_by_expire_time on api_key (expire_time)`.execute(db);
  },
};
