import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** What this service tells of: who did what, for the audit log. */
export const outbox: Migration = {
  async up(db) {
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
