import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "nats";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { scratchFolder } from "../../../test/scratch.ts";
import { type FreshNats, freshNats } from "../../../test/servers.ts";
import { type Postgres, type PostgresOptions, startPostgres } from "../../../tools/servers/postgres.ts";
import { guardFolder } from "../../../tools/servers/reaper.ts";
import { readEnv } from "../src/config.ts";
import { Stack } from "../src/main.ts";
import { openNats } from "../src/nats.ts";
import { readNatsConfig } from "../src/nats-access.ts";
import { type OutboxTable, runOutbox } from "../src/outbox.ts";
import { openPostgres } from "../src/postgres.ts";
import { log, STREAM, TYPE } from "./outbox-desk.ts";

// A Postgres of its own, for it is stopped and killed while events are written and published.

const SCHEMA = "public";
const AGGREGATES = 5;

let folder: string;
let options: PostgresOptions;
let postgres: Postgres;
let nats: FreshNats;
let pool: Pool;
const stack = new Stack();

beforeAll(async () => {
  folder = mkdtempSync(join(scratchFolder(), "chargemesh-restart-"));
  guardFolder(folder);
  chmodSync(folder, 0o711);
  options = { dataDir: join(folder, "postgres"), port: 0, password: "of_this_test", logFile: join(folder, "postgres.log"), durable: true };
  [postgres, nats] = await Promise.all([startPostgres(options), freshNats()]);
  options = { ...options, port: postgres.port };
  pool = new Pool({ connectionString: postgres.url, max: 1 });
  // The sessions of a server that ends say so.
  pool.on("error", () => undefined);
  await pool.query(`create table outbox (id bigint generated always as identity primary key, event_id uuid not null default gen_random_uuid(),
    type text not null, aggregate_id text not null, data jsonb not null, request_id text, create_time timestamptz(3) not null default clock_timestamp())`);
  const bus = openNats(readNatsConfig(readEnv({ NATS_URL: nats.url }), "NATS_URL"), "charger-service", stack, log);
  runOutbox(openPostgres<{ outbox: OutboxTable }>(postgres.url, SCHEMA, 3, stack, log), bus, [STREAM], "charger-service", stack, log);
});
afterAll(async () => {
  await stack.close(log);
  await pool?.end();
  await Promise.all([postgres?.stop(), nats?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Commits event `i`, however often that takes, and answers the id that the commit was acknowledged with. */
async function commit(i: number): Promise<string> {
  for (;;) {
    try {
      const values = [TYPE, String(i % AGGREGATES), JSON.stringify({ i })];
      const { rows } = await pool.query("insert into outbox (type, aggregate_id, data) values ($1, $2, $3) returning event_id", values);
      return rows[0].event_id;
    } catch {
      await sleep(20); // The database is away.
    }
  }
}

/** What the stream holds: the id of each event, and its number. */
async function published(): Promise<{ id: string; i: number }[]> {
  const { host, username, password } = new URL(nats.url);
  const connection = await connect({ servers: host, user: username, pass: password });
  try {
    const { state } = await (await connection.jetstreamManager()).streams.info(STREAM.name);
    const consumer = await connection.jetstream().consumers.get(STREAM.name);
    const found: { id: string; i: number }[] = [];
    while (found.length < state.messages) {
      for await (const message of await consumer.fetch({ max_messages: state.messages - found.length, expires: 2_000 })) {
        const { id, data } = message.json<{ id: string; data: { i: number } }>();
        found.push({ id, i: data.i });
      }
    }
    return found;
  } finally {
    await connection.close();
  }
}

test("events that are written while Postgres is stopped, and killed, and started again, are published once and in order", async () => {
  const acknowledged: string[] = [];
  let writing = true;
  const writer = (async () => {
    for (let i = 0; writing; i++) acknowledged.push(await commit(i));
  })();
  for (const end of [() => postgres.stop(), () => postgres.kill("SIGKILL")]) {
    const before = acknowledged.length;
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 50), { timeout: 30_000, interval: 10 });
    await end();
    await postgres.exited;
    postgres = await startPostgres(options);
  }
  const before = acknowledged.length;
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 50), { timeout: 30_000, interval: 10 });
  writing = false;
  await writer;
  await vi.waitFor(async () => expect((await pool.query("select from outbox limit 1")).rowCount).toBe(0), {
    timeout: 30_000,
    interval: 20,
  });
  const events = await published();
  const ids = events.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  // What was committed without our hearing of it was committed again: there may be more events, never fewer.
  expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
  for (let aggregate = 0; aggregate < AGGREGATES; aggregate++) {
    const numbers = events.flatMap(({ i }) => (i % AGGREGATES === aggregate ? [i] : []));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
}, 120_000);
