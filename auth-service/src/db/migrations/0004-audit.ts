import type { Migration } from "@chargemesh/kit/migrate";
import { sql } from "kysely";

/** Who did what: a table that the service may add to and read, and a function by which what is old goes. */
export const audit: Migration = {
  async up(db) {
    await sql`
      create table audit_entry (
        id uuid primary key,
        time timestamptz(3) not null,
        actor_kind text not null
          constraint audit_entry_actor_kind_must_be_known check (actor_kind in ('ANONYMOUS', 'USER', 'SERVICE', 'CHARGER')),
        actor_id text not null,
        actor_name text not null,
        api_key_id text not null,
        action text not null,
        resource text not null,
        result text not null,
        remote_address text not null,
        request_id text not null,
        details jsonb not null,
        count integer not null
      )`.execute(db);
    // migrate() gives the service no more than this on a table whose comment begins so.
    await sql`comment on table audit_entry is 'append-only: who did what'`.execute(db);
    await sql`create index audit_entry_by_time on audit_entry (time desc, id desc)`.execute(db);
    await sql`create index audit_entry_by_api_key_id on audit_entry (api_key_id, time desc, id desc) where api_key_id <> ''`.execute(db);
    for (const column of ["actor_id", "resource", "action", "result"]) {
      await sql`create index ${sql.id(`audit_entry_by_${column}`)} on audit_entry (${sql.id(column)}, time desc, id desc)`.execute(db);
    }
    // As the owner of the table, who may delete; with a limit of its own, so that nobody wipes out a trace by asking for fewer days.
    await sql`
      create function forget_audit_entries(days integer) returns bigint
      language sql security definer set search_path from current
      as $$
        with forgotten as (
          delete from audit_entry
          where id in (select id from audit_entry where time < now() - make_interval(days => greatest(days, 90)) order by time limit 10000)
          returning 1
        )
        select count(*) from forgotten
      $$`.execute(db);
  },
};
