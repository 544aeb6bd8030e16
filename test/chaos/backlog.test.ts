import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "../../tools/test/folder.ts";
import { eventually } from "../rest.ts";
import { type Servers, startServers } from "./servers.ts";

// NATS was away for an hour, in which two hundred thousand events were committed: they leave the outbox in order, each once, and whoever
// publishes them needs no more memory than for a few. Part of `make test-events`; a few of them are part of every test run.

const IS_LONG = Number(process.env.TRANSACTIONS ?? 0) > 1_000;
const EVENTS = IS_LONG ? 200_000 : 2_000;
const CHARGERS = 50;
/** What the publisher may have for what it keeps, in MB: its modules need half of it, all of the events ten times as much. */
const HEAP_MB = 48;

let servers: Servers;

beforeAll(async () => {
  servers = await startServers([], [], join(makeFolder(), "programs.log"));
});
afterAll(() => servers?.stop());

test(
  `the ${EVENTS} events of an hour without NATS are published in order, each once, in a heap of ${HEAP_MB} MB`,
  async () => {
    await servers.nats.kill();
    await servers.books(
      `insert into ocpp.outbox (type, aggregate_id, data, create_time)
        select 'chargemesh.charger.v1.TransactionUpdated', (i / 100)::text, jsonb_build_object('transaction', jsonb_build_object(
          'id', i::text, 'chargerId', 'C-' || i % $2::int, 'note', repeat('x', 1000))), now() - interval '1 hour' * (1 - i / $1::float8)
        from generate_series(1, $1::int) i`,
      [EVENTS, CHARGERS],
    );
    const publisher = await servers.start("publisher", [`--max-old-space-size=${HEAP_MB}`]);
    await servers.nats.restart();
    await eventually(async () => (await servers.books("select from ocpp.outbox limit 1")).length === 0);
    const resident = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${publisher.pid}/status`, "utf8"))?.[1]) / 1_000;
    await publisher.stop(0);
    expect(resident).toBeLessThan(250);
    const numbers = await published();
    expect(numbers.size).toBe(CHARGERS);
    for (const [charger, own] of numbers) {
      const first = Number(charger.slice(2)) || CHARGERS;
      expect(own).toEqual(Array.from({ length: EVENTS / CHARGERS }, (_, i) => first + i * CHARGERS));
    }
  },
  IS_LONG ? 600_000 : 60_000,
);

/** The numbers of the transactions in the stream, by charger. */
async function published(): Promise<Map<string, number[]>> {
  const { host, username, password } = new URL(servers.nats.url);
  const connection = await connect({ servers: host, user: username, pass: password });
  const { state } = await (await connection.jetstreamManager()).streams.info("chargemesh_charger_v1");
  const consumer = await connection.jetstream().consumers.get("chargemesh_charger_v1");
  const found = new Map<string, number[]>();
  let count = 0;
  for await (const message of await consumer.consume({ max_messages: 1_000 })) {
    const { data } = message.json<{ data: { transaction: { id: string; chargerId: string } } }>();
    const own = found.get(data.transaction.chargerId) ?? [];
    own.push(Number(data.transaction.id));
    found.set(data.transaction.chargerId, own);
    if (++count === state.messages) break;
  }
  await connection.close();
  return found;
}
