import { type Generated, type Kysely, type QueryExecutorProvider, sql } from "kysely";
import type { JetStreamClient } from "nats";
import type { CloudEvent } from "./cloud-event.ts";
import { type EventStream, ensureStream, streamOfType } from "./event-streams.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import type { Nats } from "./nats.ts";
import { jsonText } from "./postgres.ts";
import { requestId, traceparentOf } from "./request-id.ts";
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

/** How many events are under way to JetStream at once. */
const BATCH_MAX = 500;
/** How often the outbox is looked at while it is empty, in ms. */
const POLL_MS = 50;
/** How long to wait after a failure, and to become the publisher where another replica is it, in ms. */
const RETRY_MS = 1_000;
const PUBLISH_TIMEOUT_MS = 5_000;

/** Says, in the caller's transaction, that something happened to the aggregate `aggregateId`. */
export async function appendEvent<T>(tx: QueryExecutorProvider, message: EventMessage<T>, aggregateId: string, data: T): Promise<void> {
  await sql`insert into outbox (type, aggregate_id, data, request_id)
    values (${message.$type}, ${aggregateId}, ${jsonText(message.toJSON(data))}, ${requestId() ?? null})`.execute(tx);
}

/**
 * Publishes the outbox to the streams of what it holds, each in order and at least once, until the process stops.
 * One replica at a time does: the one that holds the advisory lock.
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
    do {
      const count = await publishBatch(connection, nats.connection().jetstream({ timeout: PUBLISH_TIMEOUT_MS }), source);
      if (count === 0) await rest(POLL_MS, signal);
    } while (!signal.aborted);
    // What the last requests committed goes out with us.
    await publishBatch(connection, nats.connection().jetstream({ timeout: PUBLISH_TIMEOUT_MS }), source);
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await asOnlyPublisher(db, publish).catch((err: unknown) => log.warn({ err }, "outbox interrupted"));
      await rest(RETRY_MS, signal);
    }
  };
  const running = run();
  stack.defer("outbox", async () => {
    stopping.abort();
    await running;
  });
}

async function asOnlyPublisher<DB>(db: Kysely<DB>, publish: (connection: Kysely<DB>) => Promise<void>): Promise<void> {
  const key = sql`hashtextextended(current_schema() || '.outbox', 0)`;
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ ours: boolean }>`select pg_try_advisory_lock(${key}) as ours`.execute(connection);
    if (rows[0]?.ours !== true) return;
    try {
      await publish(connection);
    } finally {
      // If this fails the connection is broken, and Postgres has let go of the lock by itself.
      await sql`select pg_advisory_unlock(${key})`.execute(connection).catch(() => undefined);
    }
  });
}

interface OutboxRow {
  id: number;
  event_id: string;
  type: string;
  aggregate_id: string;
  data: unknown;
  request_id: string | null;
  create_time: Date;
}

/** Publishes the oldest rows and says how many left the table. Throws if any could not be published; those before it have left. */
async function publishBatch(connection: QueryExecutorProvider, js: JetStreamClient, source: string): Promise<number> {
  const { rows } = await sql<OutboxRow>`
    select id, event_id, type, aggregate_id, data, request_id, create_time from outbox order by id limit ${BATCH_MAX}`.execute(connection);
  if (rows.length === 0) return 0;
  // Each but the first is taken only after the one before it: a lost one stops all that follow, so that order holds. What has none to
  // keep, because several services say it, is published beside them.
  let before: string | undefined;
  const publishing = rows.map((row) => {
    const isOrdered = !streamOfType(row.type).isForOneReader;
    const expect = isOrdered && before !== undefined ? { expect: { lastMsgID: before } } : {};
    if (isOrdered) before = row.event_id;
    return js.publish(subjectOf(row.type, row.aggregate_id), JSON.stringify(toCloudEvent(row, source)), { msgID: row.event_id, ...expect });
  });
  const results = await Promise.allSettled(publishing);
  const failed = results.findIndex(({ status }) => status === "rejected");
  const published = failed === -1 ? rows : rows.slice(0, failed);
  if (published.length > 0) await sql`delete from outbox where id = any(${published.map(({ id }) => id)})`.execute(connection);
  const failure = results[failed];
  if (failure?.status === "rejected") throw failure.reason;
  return published.length;
}

/** The NATS subject of an event: its type and the aggregate's id, which may hold `.`, `*` and `>`, in base64url. */
export function subjectOf(type: string, aggregateId: string): string {
  return `${type}.${Buffer.from(aggregateId).toString("base64url")}`;
}

function toCloudEvent(row: OutboxRow, source: string): CloudEvent {
  return {
    specversion: "1.0",
    id: row.event_id,
    source,
    type: row.type,
    subject: row.aggregate_id,
    time: row.create_time.toISOString(),
    datacontenttype: "application/json",
    data: row.data,
    ...(row.request_id === null ? {} : requestOf(row.request_id, row.event_id)),
  };
}

/** The request that an event came of; `traceparent` is an extension that CloudEvents itself names (Distributed Tracing). */
function requestOf(requestid: string, eventId: string): Pick<CloudEvent, "requestid" | "traceparent"> {
  const traceparent = traceparentOf(requestid, eventId);
  return traceparent === undefined ? { requestid } : { requestid, traceparent };
}
