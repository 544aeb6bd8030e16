import type { Migration } from "@chargemesh/kit/migrate";
import { type Kysely, sql } from "kysely";

/** Finds what of the history of connections is too old to keep. */
export const connectionHistory: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw("create index connection_by_open_time on connection (open_time) where state <> 'OPEN'").execute(db);
  },
};
