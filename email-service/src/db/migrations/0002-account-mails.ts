import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** Mails with links that only their recipients may see, and mails of which nothing shall be left. */
export const accountMails: Migration = {
  async up(db) {
    await sql`
      alter table message
        -- The link of a mail, sealed; the text has a mark in its place. It goes once the mail is sent.
        add column sealed_link text,
        -- Its row goes once it is sent or given up: nothing is kept of who is no more.
        add column is_forgotten_once_done boolean not null default false,
        add constraint message_has_no_link_once_sent check (sealed_link is null or state <> 'SENT')`.execute(db);
  },
};
