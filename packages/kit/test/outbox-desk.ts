import type { Kysely } from "kysely";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { Pool } from "pg";
import { type FreshNats, freshDatabase, freshNats } from "../../../test/servers.ts";
import { readEnv } from "../src/config.ts";
import { streamOf } from "../src/event-streams.ts";
import { makeLogger } from "../src/log.ts";
import { Stack } from "../src/main.ts";
import { type Nats, openNats } from "../src/nats.ts";
import { readNatsConfig } from "../src/nats-access.ts";
import { type OutboxTable, runOutbox } from "../src/outbox.ts";
import { openPostgres } from "../src/postgres.ts";

export const log = makeLogger("test", "silent");
export const TYPE = "chargemesh.charger.v1.TransactionUpdated";
export const STREAM = streamOf("chargemesh.charger.v1");

type Database = { outbox: OutboxTable };

/** A process of a service, as far as events go: its pool and its connection to NATS. */
export interface Party {
  db: Kysely<Database>;
  nats: Nats;
  stack: Stack;
  leave(): Promise<void>;
}

/** The ids of events, by their aggregates. */
export type Ids = Record<string, string[]>;

/** Those of `lists`, one behind the other. */
export function together(...lists: readonly Ids[]): Ids {
  const all: Ids = {};
  for (const [aggregate, ids] of lists.flatMap((list) => Object.entries(list))) all[aggregate] = [...(all[aggregate] ?? []), ...ids];
  return all;
}

function byAggregate(pairs: readonly (readonly [aggregate: string, id: string])[]): Ids {
  const aggregates = [...new Set(pairs.map(([aggregate]) => aggregate))];
  return Object.fromEntries(aggregates.map((one) => [one, pairs.flatMap(([aggregate, id]) => (aggregate === one ? [id] : []))]));
}

/** An outbox, NATS, and what a test asks of them. */
export interface Desk {
  nats: FreshNats;
  manager: JetStreamManager;
  connection: NatsConnection;
  /** Rows, by SQL. */
  rows<T>(sql: string, values?: unknown[]): Promise<T[]>;
  /** A client of its own, for a transaction that stays open. */
  pool: Pool;
  join(settings?: Record<string, string>): Party;
  /** One that publishes the outbox, as soon as it may. */
  publisher(settings?: Record<string, string>): Party;
  /** Writes so many rows, of ten aggregates, and answers the ids of their events in order. */
  fill(count: number): Promise<Ids>;
  /** Resolves when the outbox is empty. */
  drained(): Promise<void>;
  /** The ids of the events that the stream has, in its order. */
  published(): Promise<Ids>;
  leave(): Promise<void>;
}

function aggregateOf(subject: string): string {
  return Buffer.from(subject.slice(subject.lastIndexOf(".") + 1), "base64url").toString();
}

export async function openDesk(): Promise<Desk> {
  const [database, nats] = await Promise.all([freshDatabase(), freshNats()]);
  const pool = new Pool({ connectionString: database.ownerUrl, max: 3, options: "-c search_path=ocpp" });
  const { host, username, password } = new URL(nats.url);
  const connection = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const manager = await connection.jetstreamManager();
  const parties = new Set<Party>();
  const rows: Desk["rows"] = async (sql, values) => (await pool.query(sql, values)).rows;
  const join: Desk["join"] = (settings = {}) => {
    const stack = new Stack();
    const party: Party = {
      stack,
      db: openPostgres<Database>(database.chargerUrl, "ocpp", 5, stack, log),
      nats: openNats(readNatsConfig(readEnv({ NATS_URL: nats.url, ...settings }), "NATS_URL"), "charger-service", stack, log),
      async leave() {
        if (parties.delete(party)) await stack.close(log);
      },
    };
    parties.add(party);
    return party;
  };
  return {
    nats,
    manager,
    connection,
    rows,
    pool,
    join,
    publisher(settings) {
      const party = join(settings);
      runOutbox(party.db, party.nats, [STREAM], "charger-service", party.stack, log);
      return party;
    },
    async fill(count) {
      const made = await rows<{ aggregate_id: string; event_id: string }>(
        "insert into outbox (type, aggregate_id, data) select $1, (i % 10)::text, jsonb_build_object('i', i) from generate_series(1, $2::int) i returning aggregate_id, event_id",
        [TYPE, count],
      );
      return byAggregate(made.map(({ aggregate_id, event_id }) => [aggregate_id, event_id]));
    },
    async drained() {
      while ((await rows("select from outbox limit 1")).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async published() {
      const { state } = await manager.streams.info(STREAM.name);
      const consumer = await connection.jetstream().consumers.get(STREAM.name, { headers_only: true });
      const found: [string, string][] = [];
      while (found.length < state.messages) {
        for await (const { headers, subject } of await consumer.fetch({ max_messages: state.messages - found.length, expires: 2_000 }))
          found.push([aggregateOf(subject), headers?.get("Nats-Msg-Id") ?? ""]);
      }
      return byAggregate(found);
    },
    async leave() {
      await Promise.all([...parties].map((party) => party.leave()));
      await connection.close();
      await pool.end();
      await Promise.all([nats.stop(), database.drop()]);
    },
  };
}
