import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** Who is written to in which language and of what, and to whom a mail is. */
export const preferences: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `alter table recipient
    -- As auth-service says it; empty if it does not.
    add column language text not null default '',
    add column role text not null default 'DRIVER'
      constraint recipient_role_must_be_known check (role in ('DRIVER', 'OPERATOR', 'ADMIN')),
    add column is_disabled boolean not null default false`,
  "create index recipient_who_operates on recipient (user_id) where role <> 'DRIVER'",
  // A row for each kind of mail that somebody does not want.
  `create table opt_out (
    user_id text collate "C" not null,
    category text not null
      constraint opt_out_category_must_be_known check (category in ('CHARGING', 'RESERVATION', 'OPERATION')),
    create_time timestamptz(3) not null,
    primary key (user_id, category)
  )`,
  `alter table message
    -- To whom it is, if it is to a user whoever has their address.
    add column user_id text collate "C",
    -- What it is about, if its reader may unsubscribe from that.
    add column category text,
    drop constraint message_is_made_once_for_an_event,
    add constraint message_is_made_once_for_an_event_and_address unique (event_id, template, to_address),
    add constraint message_of_a_category_is_to_a_user check (category is null or user_id is not null)`,
  // Lists of those to a user and of those of a template, and those that are over for so long that they go.
  "create index message_by_user on message (user_id, create_time desc, id desc) where user_id is not null",
  "create index message_by_template on message (template, create_time desc, id desc) where template is not null",
  "create index message_by_end on message (coalesce(send_time, give_up_time)) where state <> 'QUEUED'",
];
