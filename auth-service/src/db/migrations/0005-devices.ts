import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** In which language a user is written to, and from where they have signed in. */
export const devices: Migration = {
  async up(db) {
    await sql`alter table "user" add column language text not null default 'en'`.execute(db);
    await sql`
      create table device (
        user_id uuid not null references "user" on delete cascade,
        hash bytea not null,
        expire_time timestamptz(3) not null,
        primary key (user_id, hash)
      )`.execute(db);
    await sql`create index device_by_expire_time on device (expire_time)`.execute(db);
  },
};
