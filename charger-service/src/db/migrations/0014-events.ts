import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** What events are told from, and what tells that one was told. */
export const events: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  // What of a reading makes the course of power: in the readings' own words it takes twenty times as long to find. Null where a reading has none,
  // and in those from before.
  "alter table meter_value add column power_w double precision, add column energy_wh double precision",
  // When was told that it is about to end; null if that was not.
  "alter table reservation add column warn_time timestamptz(3)",
  // What it said last, in its own word, of files that it was not asked for by way of an upload or an update of ours.
  `alter table charger add column diagnostics_status text not null default '', add column firmware_status text not null default ''`,
];
