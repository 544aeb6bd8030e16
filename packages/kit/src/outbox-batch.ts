import { type QueryExecutorProvider, sql } from "kysely";
import type { CloudEvent } from "./cloud-event.ts";
import { traceparentOf } from "./request-id.ts";

/** A row of the outbox as it is published. */
export interface OutboxRow {
  id: number;
  event_id: string;
  type: string;
  aggregate_id: string;
  /** JSON. */
  data: string;
  request_id: string | null;
  create_time: Date;
  /** The charger that it is about, if it is about one, else what it happened to. */
  line: string;
}

/** How many events are under way to JetStream at once, and what they may weigh in memory, unless a single one weighs more. */
export const BATCH_MAX = 500;
const BATCH_BYTES_MAX = 4_000_000;
/** How long a row may stay invisible after one with a higher id was seen, in ms: no transaction is meant to last that long. */
const LATE_MS = 60_000;

/** Reads the oldest rows of the outbox again and again. */
export type ReadOutbox = () => Promise<OutboxRow[]>;

/**
 * A reader of the outbox. It begins behind the rows that are long gone: as long as any transaction is open that might see them, such as a
 * backup, Postgres keeps them, and the beginning of the index would be longer at each reading. Once in a while it begins at the beginning
 * all the same, for what a transaction has committed later than any should.
 */
export function makeOutboxReader(connection: QueryExecutorProvider, now: () => number = () => performance.now()): ReadOutbox {
  let floor = 0;
  let mark = 0;
  let highest = 0;
  let since = now();
  return async () => {
    let after = floor;
    if (now() - since > LATE_MS) {
      floor = mark;
      mark = highest;
      since = now();
      after = 0;
    }
    const rows = await readAfter(connection, after);
    highest = Math.max(highest, rows.at(-1)?.id ?? 0);
    return rows;
  };
}

async function readAfter(connection: QueryExecutorProvider, after: number): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`
    select id, event_id, type, aggregate_id, data, request_id, create_time, line
    from (
      select *, sum(octet_length(data)) over (order by id) - octet_length(data) as bytes_before
      from (
        select id, event_id, type, aggregate_id, data::text as data, request_id, create_time,
          coalesce(jsonb_path_query_first(data, '$.**.chargerId') #>> '{}', aggregate_id) as line
        from outbox where id > ${after} order by id limit ${BATCH_MAX}
      ) as oldest
    ) as weighed
    where bytes_before < ${BATCH_BYTES_MAX} order by id`.execute(connection);
  return rows;
}

/** Removes rows that JetStream has. */
export async function deletePublished(connection: QueryExecutorProvider, ids: readonly number[]): Promise<void> {
  await sql`delete from outbox where id = any(${ids})`.execute(connection);
}

/** A row as the text of its CloudEvent. What happened is in it as Postgres wrote it down. */
export function toCloudEventText(row: OutboxRow, source: string): string {
  const envelope: Omit<CloudEvent, "data"> = {
    specversion: "1.0",
    id: row.event_id,
    source,
    type: row.type,
    subject: row.aggregate_id,
    time: row.create_time.toISOString(),
    datacontenttype: "application/json",
    ...(row.request_id === null ? {} : requestOf(row.request_id, row.event_id)),
  };
  return `${JSON.stringify(envelope).slice(0, -1)},"data":${row.data}}`;
}

/** The request that an event came of; `traceparent` is an extension that CloudEvents itself names (Distributed Tracing). */
function requestOf(requestid: string, eventId: string): Pick<CloudEvent, "requestid" | "traceparent"> {
  const traceparent = traceparentOf(requestid, eventId);
  return traceparent === undefined ? { requestid } : { requestid, traceparent };
}
