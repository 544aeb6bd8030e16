import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { startSystem } from "../edge/system.ts";
import type { Done, Order } from "./generator.ts";
import type { ReadersDone, ReadersOrder } from "./readers.ts";

// `make bench-events`: how fast what is committed reaches those who wait for it, beside JetStream as it is, in one run on one machine.

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const EVENTS = Number(process.env.EVENTS ?? 20_000);
const READERS = Number(process.env.READERS ?? 1_000);
/** What each reader of a stream is sent in a round. */
const EACH = Number(process.env.EACH ?? 100);
/** One at a time, so often, for latency. */
const TRICKLE = { count: 100, everyMs: 30 };
const BARE = "bench";
const CHARGER = "chargemesh_charger_v1";

interface Round {
  bare: number;
  events: number;
  p50: number;
  p99: number;
  sse: number;
}

const now = (): number => performance.timeOrigin + performance.now();
const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

async function main(): Promise<void> {
  const system = await startSystem();
  const env = {
    ...process.env,
    BENCH_DATABASE_URL: system.chargerUrl,
    BENCH_NATS_URL: system.natsUrl,
    BENCH_REST: system.rest,
    BENCH_TOKEN: system.accessToken,
  };
  const [generator, readers] = ["generator", "readers"].map((name) => fork(join(import.meta.dirname, `${name}.ts`), { env }));
  if (generator === undefined || readers === undefined) throw new Error("two were started");
  const { host, username, password } = new URL(system.natsUrl);
  const connection = await connect({ servers: host, user: username, pass: password });
  try {
    await (await connection.jetstreamManager()).streams.add({ name: BARE, subjects: [`${BARE}.>`] });
    const rounds: Round[] = [];
    for (let i = -1; i < ROUNDS; i++) {
      const round = await measure(String(i), connection, generator, readers);
      // The first one warms up.
      if (i >= 0) rounds.push(round);
      show(i < 0 ? "warm-up" : `round ${i + 1}`, round);
    }
    report(rounds);
  } finally {
    generator.kill();
    readers.kill();
    await connection.close();
    await system.stop();
  }
}

async function measure(name: string, connection: NatsConnection, generator: ChildProcess, readers: ChildProcess): Promise<Round> {
  const throughput = async (stream: string, order: Order): Promise<number> => {
    const { heard } = await listen(connection, stream, order.name, order.count);
    const { start } = await ask<Done>(generator, order);
    return EVENTS / ((Math.max(...(await heard).values()) - start) / 1_000);
  };
  const bare = await throughput(BARE, { do: "publish", name: `bare${name}`, count: EVENTS });
  const events = await throughput(CHARGER, { do: "commit", name: `many${name}`, count: EVENTS });
  const slow = { do: "trickle", name: `few${name}`, ...TRICKLE } as const;
  const { heard } = await listen(connection, CHARGER, slow.name, slow.count);
  const { committed } = await ask<Done>(generator, slow);
  const arrived = await heard;
  const took = committed.map((time, i) => Math.max(0, (arrived.get(i) ?? Number.POSITIVE_INFINITY) - time));
  return { bare, events, p50: at(took, 0.5), p99: at(took, 0.99), sse: await stream(name, generator, readers) };
}

/** Begins to listen, as a durable service does: it pulls, in order. `heard` says when each of so many messages came, by its number. */
async function listen(
  connection: NatsConnection,
  stream: string,
  name: string,
  count: number,
): Promise<{ heard: Promise<Map<number, number>> }> {
  const manager = await connection.jetstreamManager();
  const { state } = await manager.streams.info(stream);
  const consumer = await connection.jetstream().consumers.get(stream, { opt_start_seq: state.last_seq + 1 });
  const messages = await consumer.consume({ max_messages: 2_000 });
  const hear = async (): Promise<Map<number, number>> => {
    const times = new Map<number, number>();
    for await (const { subject } of messages) {
      const last = subject.slice(subject.lastIndexOf(".") + 1);
      const id = stream === BARE ? last : Buffer.from(last, "base64url").toString();
      if (id.startsWith(`${name}-`)) times.set(Number(id.slice(name.length + 1)), now());
      if (times.size === count) break;
    }
    return times;
  };
  return { heard: hear() };
}

/** How many events a second come out at all readers together, from the first commit to the last reader's last event. */
async function stream(name: string, generator: ChildProcess, readers: ChildProcess): Promise<number> {
  await ask<ReadersDone>(readers, { do: "open", count: READERS });
  // Whoever has got this one is there.
  const probed = ask<ReadersDone>(readers, { do: "read", marker: `probe${name}-`, each: 1 });
  await ask<Done>(generator, { do: "commit", name: `probe${name}`, count: 1 });
  await probed;
  const read = ask<ReadersDone>(readers, { do: "read", marker: `sse${name}-`, each: EACH });
  const { start } = await ask<Done>(generator, { do: "commit", name: `sse${name}`, count: EACH });
  const { end } = await read;
  await ask<ReadersDone>(readers, { do: "close" });
  return (READERS * EACH) / ((end - start) / 1_000);
}

function ask<A>(child: ChildProcess, order: Order | ReadersOrder): Promise<A> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error("a process of the bench has ended"));
    child.once("exit", gone);
    child.once("message", (answer) => {
      child.off("exit", gone);
      resolve(answer as A);
    });
    child.send(order);
  });
}

function show(name: string, { bare, events, p50, p99, sse }: Round): void {
  const figures = [bare.toFixed(0), events.toFixed(0), p50.toFixed(1), p99.toFixed(1), sse.toFixed(0)];
  if (name === "warm-up") console.log("          bare JetStream/s   events/s   p50 ms   p99 ms   SSE events/s");
  const widths = [16, 11, 9, 9, 15];
  console.log(name.padEnd(10) + figures.map((figure, i) => figure.padStart(widths[i] ?? 0)).join(""));
}

function report(rounds: readonly Round[]): void {
  const median = (of: (round: Round) => number): number => at(rounds.map(of), 0.5);
  const all: Round = {
    bare: median(({ bare }) => bare),
    events: median(({ events }) => events),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
    sse: median(({ sse }) => sse),
  };
  show("median", all);
  console.log(
    JSON.stringify({
      eventsPerSecond: Math.round(all.events),
      bareJetStreamPerSecond: Math.round(all.bare),
      commitToConsumerP50Ms: Number(all.p50.toFixed(1)),
      commitToConsumerP99Ms: Number(all.p99.toFixed(1)),
      sseReaders: READERS,
      sseEventsPerSecond: Math.round(all.sse),
    }),
  );
}

await main();
