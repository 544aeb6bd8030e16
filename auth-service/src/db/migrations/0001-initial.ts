import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

export const initial: Migration = {
  async up(db) {
    await sql`
      create table "user" (
        id uuid primary key,
        username text not null,
        username_key text not null
          constraint user_username_must_be_unique unique,
        email text,
        role text not null
          constraint user_role_must_be_known check (role in ('DRIVER', 'OPERATOR', 'ADMIN')),
        password_hash text not null,
        create_time timestamptz(3) not null
      )`.execute(db);
    await sql`create index user_by_create_time on "user" (create_time, id)`.execute(db);
    await sql`create index user_administrator on "user" (id) where role = 'ADMIN'`.execute(db);
    await sql`
      create table session (
        id uuid primary key,
        user_id uuid not null references "user" on delete cascade,
        family_hash bytea not null
          constraint session_family_must_be_unique unique,
        token_hash bytea not null,
        create_time timestamptz(3) not null,
        refresh_time timestamptz(3) not null,
        expire_time timestamptz(3) not null
      )`.execute(db);
    await sql`create index session_by_user on session (user_id, refresh_time)`.execute(db);
    await sql`
      create table signing_key (
        kid text primary key,
        public_x text not null,
        public_y text not null,
        private_key bytea not null,
        create_time timestamptz(3) not null,
        activate_time timestamptz(3) not null,
        expire_time timestamptz(3)
          constraint signing_key_must_expire_after_it_became_active check (expire_time > activate_time)
      )`.execute(db);
    await sql`
      create table outbox (
        id bigint generated always as identity primary key,
        event_id uuid not null default gen_random_uuid(),
        type text not null,
        aggregate_id text not null,
        data jsonb not null,
        request_id text,
        create_time timestamptz(3) not null default clock_timestamp()
      )`.execute(db);
  },
};
