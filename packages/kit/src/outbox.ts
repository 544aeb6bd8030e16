import { type Generated, type Kysely, type QueryExecutorProvider, sql } from "kysely";
import type { JetStreamManager } from "nats";
import { AppError } from "./errors.ts";
import { type EventStream, ensureStream, isNotFound, streamOfType } from "./event-streams.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import type { Nats } from "./nats.ts";
import { asOnlyOne } from "./only-one.ts";
import { BATCH_MAX, deletePublished, makeOutboxReader, type OutboxRow, type ReadOutbox, toCloudEventText } from "./outbox-batch.ts";
import { jsonText } from "./postgres.ts";
import { openPublisher, type Publication, type Publisher } from "./publisher.ts";
import { requestId } from "./request-id.ts";
import { rest } from "./rest.ts";

/** Events that are committed and not yet published. A row leaves when JetStream has it. */
export interface OutboxTable {
  id: Generated<number>;
  event_id: Generated<string>;
  type: string;
  aggregate_id: string;
  data: string;
  request_id: string | null;
  create_time: Generated<Date>;
}

/** A message of an events.proto, as ts-proto makes it. */
export interface EventMessage<T> {
  readonly $type: string;
  toJSON(message: T): unknown;
}

/** What an event may weigh: less than a message may in NATS by default (1 MiB), so that none is there that could never leave. */
const EVENT_BYTES_MAX = 900_000;
/** How often the outbox is looked at while it is empty, in ms. */
const POLL_MS = 50;
/** How long it rests while it is not, unless there is more than fits into a batch, in ms: what is committed meanwhile goes out together. */
const PACE_MS = 10;
/** How long to wait after a failure, and to become the publisher where another replica is it, in ms. */
const RETRY_MS = 500;
/** A publisher that its database has not heard of for so long is none any more, in ms: its host may be gone. Waiting for NATS takes less. */
const SILENCE_MS = 10_000;
/** Rows that may have been sent, in ms: younger ones than this are known to their stream if they were, whose memory lasts ten minutes. */
const REMEMBERED_MS = 5 * 60_000;

/** Says, in the caller's transaction, that something happened to the aggregate `aggregateId`. RESOURCE_EXHAUSTED if it is too much for an event. */
export async function appendEvent<T>(tx: QueryExecutorProvider, message: EventMessage<T>, aggregateId: string, data: T): Promise<void> {
  // As Postgres writes it, which is what is published: 1e300 has 301 digits there.
  const { rows } = await sql<{ bytes: number }>`insert into outbox (type, aggregate_id, data, request_id)
    values (${message.$type}, ${aggregateId}, ${jsonText(message.toJSON(data))}, ${requestId() ?? null})
    returning octet_length(data::text) as bytes`.execute(tx);
  if ((rows[0]?.bytes ?? 0) > EVENT_BYTES_MAX)
    throw new AppError(
      "resourceExhausted",
      "EVENT_TOO_LARGE",
      `What happened to ${aggregateId} is more than the ${EVENT_BYTES_MAX} bytes of an event.`,
    );
}

/** The NATS subject of an event: its type and the aggregate's id, which may hold `.`, `*` and `>`, in base64url. */
export function subjectOf(type: string, aggregateId: string): string {
  return `${type}.${Buffer.from(aggregateId).toString("base64url")}`;
}

/**
 * Publishes the outbox to the streams of what it holds, at least once, until the process stops; what is about one charger, or happened to one
 * aggregate, in order. One replica at a time does: the one that holds the advisory lock. One that does not know yet that it has lost it
 * cannot spoil the order: nobody says an event before the stream has the one before it, and the stream knows again what it has.
 */
export function runOutbox<DB extends { outbox: OutboxTable }>(
  db: Kysely<DB>,
  nats: Nats,
  streams: readonly EventStream[],
  source: string,
  stack: Stack,
  log: Logger,
): void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const publish = async (connection: Kysely<DB>): Promise<void> => {
    for (const stream of streams) await ensureStream(nats, stream, source, log);
    await forgetPublished(connection, nats, streams);
    const publisher = openPublisher(nats, nats.connection(), source);
    try {
      const read = makeOutboxReader(connection);
      do {
        const count = await publishBatch(connection, read, publisher, source);
        if (count < BATCH_MAX) await rest(count === 0 ? POLL_MS : PACE_MS, signal);
      } while (!signal.aborted);
      // What the last requests committed goes out with us.
      await publishBatch(connection, read, publisher, source);
    } finally {
      publisher.close();
    }
  };
  const run = async (): Promise<void> => {
    let said = "";
    while (!signal.aborted) {
      // Health says that the bus is away; here it is no news.
      if (nats.isConnected())
        await asOnlyPublisher(db, publish).then(
          () => {
            said = "";
          },
          (err: unknown) => {
            if (String(err) !== said) log.warn({ err }, "outbox interrupted");
            said = String(err);
          },
        );
      await rest(RETRY_MS, signal);
    }
  };
  const running = run();
  stack.defer("outbox", async () => {
    stopping.abort();
    await running;
  });
}

/** A publisher that its database has not heard of for long loses its session, and the lock with it. */
async function asOnlyPublisher<DB>(db: Kysely<DB>, publish: (connection: Kysely<DB>) => Promise<void>): Promise<void> {
  await asOnlyOne(db, "outbox", async (connection) => {
    const limitSilence = (ms: number) => sql`select set_config('idle_session_timeout', ${String(ms)}, false)`.execute(connection);
    try {
      await limitSilence(SILENCE_MS);
      await publish(connection);
    } finally {
      // If this fails the connection is broken, and nobody will have it again.
      await limitSilence(0).catch(() => undefined);
    }
  });
}

/**
 * What NATS had taken before it went, and could not tell us, would be said twice if it was away for longer than it remembers. So if there are rows
 * that may have been sent as long ago as that, the ends of the streams are read, and what is there leaves the outbox.
 */
async function forgetPublished(connection: QueryExecutorProvider, nats: Nats, streams: readonly EventStream[]): Promise<void> {
  const { rows } = await sql<{ is_old: boolean }>`
    select create_time < clock_timestamp() - make_interval(secs => ${REMEMBERED_MS / 1_000}) as is_old
    from outbox order by id limit 1`.execute(connection);
  if (rows[0]?.is_old !== true) return;
  const manager = await nats.connection().jetstreamManager({ checkAPI: false });
  // What is for one reader, several services say, and that reader knows an event again.
  for (const { name } of streams.filter((stream) => !stream.isForOneReader)) {
    const { state } = await manager.streams.info(name);
    const ids = await lastIds(manager, name, state.last_seq);
    await sql`delete from outbox where event_id::text = any(${ids})`.execute(connection);
  }
}

/** The ids of the last events of a stream, as many as one batch may have had. */
async function lastIds(manager: JetStreamManager, stream: string, last: number): Promise<string[]> {
  const sequences = Array.from({ length: Math.min(BATCH_MAX, last) }, (_, index) => last - index);
  const found = sequences.map(async (seq) => {
    const message = await manager.streams.getMessage(stream, { seq }).catch((err: unknown) => {
      if (isNotFound(err)) return undefined;
      throw err;
    });
    return message?.header.get("Nats-Msg-Id") ?? [];
  });
  return (await Promise.all(found)).flat();
}

/** Publishes the oldest rows and says how many left the table. Throws if any could not be published; those that were have left. */
async function publishBatch(connection: QueryExecutorProvider, read: ReadOutbox, publisher: Publisher, source: string): Promise<number> {
  const rows = await read();
  if (rows.length === 0) return 0;
  const receipts = await publisher.publish(rows.map((row) => toPublication(row, source)));
  const published = rows.filter((_, index) => !(receipts[index] instanceof Error)).map(({ id }) => id);
  if (published.length > 0) await deletePublished(connection, published);
  const failure = receipts.find((receipt) => receipt instanceof Error);
  if (failure !== undefined) throw failure;
  return published.length;
}

function toPublication(row: OutboxRow, source: string): Publication {
  const publication = { subject: subjectOf(row.type, row.aggregate_id), id: row.event_id, text: toCloudEventText(row, source) };
  return streamOfType(row.type).isForOneReader ? publication : { ...publication, line: row.line };
}
