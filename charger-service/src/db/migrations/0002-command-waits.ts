import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Tells commands that may wait for an offline charger from those that may only wait their turn. */
export const commandWaits: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table command add column waits boolean not null default false`.execute(db);
  },
};
