import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** The life of an account: an address that is verified, tokens that come by mail, and limits on trying. */
export const accounts: Migration = {
  async up(db) {
    await sql`
      alter table "user"
        add column email_key text,
        add column email_verify_time timestamptz(3),
        add column disable_time timestamptz(3)`.execute(db);
    // Addresses that were there before are ASCII but for a few, whose users ask by their username.
    await sql`update "user" set email_key = lower(email)`.execute(db);
    await sql`create index user_by_email on "user" (email_key) where email_key is not null`.execute(db);
    await sql`
      create table one_time_token (
        hash bytea primary key,
        user_id uuid references "user" on delete cascade,
        purpose text not null
          constraint one_time_token_purpose_must_be_known check (purpose in ('VERIFY_EMAIL', 'CHANGE_EMAIL', 'RESET_PASSWORD')),
        email text,
        expire_time timestamptz(3) not null
      )`.execute(db);
    await sql`create index one_time_token_by_user on one_time_token (user_id)`.execute(db);
    await sql`create index one_time_token_by_expire_time on one_time_token (expire_time)`.execute(db);
    await sql`
      create table attempts (
        key bytea primary key,
        count integer not null,
        expire_time timestamptz(3) not null
      )`.execute(db);
    await sql`create index attempts_by_expire_time on attempts (expire_time)`.execute(db);
  },
};
