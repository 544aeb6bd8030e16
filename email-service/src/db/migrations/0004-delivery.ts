import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** What a mail server says of a mail that it will never take. */
export const delivery: Migration = {
  async up(db) {
    await sql`
      alter table message
        -- Of the last reply by which the mail server refused it for good: the code, the enhanced status (empty if it has none), the words.
        add column bounce_code integer
          constraint message_bounce_code_must_be_5xx check (bounce_code between 500 and 599),
        add column bounce_status text,
        add column bounce_text text,
        add constraint message_bounce_is_whole_or_none
          check ((bounce_code is null) = (bounce_status is null) and (bounce_code is null) = (bounce_text is null))`.execute(db);
    await sql`create index message_by_bounce on message (create_time desc, id desc) where bounce_code is not null`.execute(db);
  },
};
