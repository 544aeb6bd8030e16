import { setTimeout as sleep } from "node:timers/promises";
import { TransactionUpdated } from "@chargemesh/contracts/charger/v1/events";
import { connect } from "nats";
import { Pool } from "pg";

// A process of its own that commits events as charger-service does, or publishes messages of the same size to JetStream as it is.

/** What it may be asked. `name` begins the id of each event's aggregate, or each subject's end. */
export type Order =
  | { do: "commit"; name: string; count: number }
  | { do: "trickle"; name: string; count: number; everyMs: number }
  | { do: "publish"; name: string; count: number };

/** What it answers: when it began and, of a trickle, when each was committed; in ms since 1970. */
export interface Done {
  start: number;
  committed: number[];
}

/** How many chargers the events are about, in turn. */
const CHARGERS = 500;
/** Events that share a commit. */
const TOGETHER = 50;
/** Commits, or messages to JetStream, that are under way at once. */
const COMMITS_AT_ONCE = 4;
const MESSAGES_AT_ONCE = 500;

const now = (): number => performance.timeOrigin + performance.now();
/** As large as the events of a transaction are. */
const data = JSON.stringify(
  TransactionUpdated.toJSON(
    TransactionUpdated.fromPartial({
      transaction: {
        id: "1234567",
        chargerId: "CP-01",
        evseId: 1,
        connectorId: 1,
        idToken: "04A2B3C4D5E6F7A8B9C0",
        userId: "0f8fad5b-d9cb-469f-a165-70867728950e",
        state: "ACTIVE",
        startTime: new Date(),
        meterStartWh: 1_234_567,
        meterLastWh: 1_240_001,
        energyWh: 5_434,
        powerW: 7_360.5,
        createTime: new Date(),
        updateTime: new Date(),
      },
    }),
  ),
);
const pool = new Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: COMMITS_AT_ONCE, options: "-c search_path=ocpp" });

/** One transaction with events `from` to before `to`. */
async function commit(name: string, from: number, to: number): Promise<void> {
  await pool.query(
    `insert into outbox (type, aggregate_id, data, request_id)
      select $1, $2 || i, jsonb_set($3::jsonb, '{transaction,chargerId}', to_jsonb('CP-' || i % $4::int)), gen_random_uuid()::text
      from generate_series($5::int, $6::int) i`,
    [TransactionUpdated.$type, `${name}-`, data, CHARGERS, from, to - 1],
  );
}

async function commitAll(name: string, count: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let from = next; from < count; from = next) {
      next = Math.min(count, from + TOGETHER);
      await commit(name, from, next);
    }
  };
  await Promise.all(Array.from({ length: COMMITS_AT_ONCE }, lane));
}

async function trickle(name: string, count: number, everyMs: number): Promise<number[]> {
  const committed: number[] = [];
  for (let i = 0; i < count; i++) {
    await Promise.all([commit(name, i, i + 1).then(() => committed.push(now())), sleep(everyMs)]);
  }
  return committed;
}

async function publishAll(name: string, count: number): Promise<void> {
  const { host, username, password } = new URL(process.env.BENCH_NATS_URL ?? "");
  const connection = await connect({ servers: host, user: username, pass: password });
  const jetstream = connection.jetstream();
  for (let from = 0; from < count; from += MESSAGES_AT_ONCE) {
    const indices = Array.from({ length: Math.min(MESSAGES_AT_ONCE, count - from) }, (_, i) => from + i);
    await Promise.all(indices.map((i) => jetstream.publish(`bench.${name}-${i}`, data)));
  }
  await connection.close();
}

process.on("message", (order: Order) => {
  const start = now();
  const work = {
    commit: () => commitAll(order.name, order.count),
    publish: () => publishAll(order.name, order.count),
    trickle: () => (order.do === "trickle" ? trickle(order.name, order.count, order.everyMs) : undefined),
  };
  void Promise.resolve(work[order.do]()).then((committed) => process.send?.({ start, committed: committed ?? [] } satisfies Done));
});
