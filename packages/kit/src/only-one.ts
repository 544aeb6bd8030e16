import { type Kysely, sql } from "kysely";

/**
 * Does `work` if nobody else is at it: of all replicas, the one that holds the advisory lock of this name in this schema, on the connection that
 * `work` is given. Does nothing where another is it. Postgres lets go of the lock when that connection ends.
 */
export async function asOnlyOne<DB>(db: Kysely<DB>, name: string, work: (connection: Kysely<DB>) => Promise<void>): Promise<void> {
  const key = sql`hashtextextended(current_schema() || ${`.${name}`}, 0)`;
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ ours: boolean }>`select pg_try_advisory_lock(${key}) as ours`.execute(connection);
    if (rows[0]?.ours !== true) return;
    try {
      await work(connection);
    } finally {
      // If this fails the connection is broken, and Postgres has let go of the lock by itself.
      await sql`select pg_advisory_unlock(${key})`.execute(connection).catch(() => undefined);
    }
  });
}
