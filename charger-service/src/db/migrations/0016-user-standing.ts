import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** What users were said to be lately, which their access tokens do not know yet. */
export const userStanding: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `create table user_standing (
    user_id uuid primary key,
    -- Null for who is no more, or may not sign in.
    role text
      constraint user_standing_role_must_be_known check (role in ('DRIVER', 'OPERATOR', 'ADMIN')),
    -- When it became so.
    time timestamptz(3) not null
  )`,
  // What is so old that no access token is older.
  "create index user_standing_by_time on user_standing (time)",
];
