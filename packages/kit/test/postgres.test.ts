import { sql } from "kysely";
import { expect, test } from "vitest";
import { freshDatabase } from "../../../test/servers.ts";
import { makeLogger } from "../src/log.ts";
import { Stack } from "../src/main.ts";
import { openPostgres } from "../src/postgres.ts";

test("the server notices within half a minute that a host has vanished, with whatever it had locked", async () => {
  const log = makeLogger("test", "silent");
  const stack = new Stack();
  const database = await freshDatabase();
  try {
    const db = openPostgres(database.chargerUrl, "ocpp", 2, stack, log);
    const { rows } = await sql<{ seconds: number }>`
      select current_setting('tcp_keepalives_idle')::int
        + current_setting('tcp_keepalives_interval')::int * current_setting('tcp_keepalives_count')::int as seconds`.execute(db);
    expect(rows[0]?.seconds).toBeGreaterThan(0);
    expect(rows[0]?.seconds).toBeLessThanOrEqual(30);
  } finally {
    await stack.close(log);
    await database.drop();
  }
});
