import { type Insertable, type Selectable, sql } from "kysely";
import type { MessageTables } from "./message-tables.ts";
import type { Db, MessageDirection, MessageType } from "./schema.ts";

export type NewMessage = Omit<Insertable<MessageTables["message"]>, "number">;
export type MessageRow = Selectable<MessageTables["message"]>;

/** Keeps frames, all in one statement, in their order. */
export async function insertMessages(db: Db, rows: readonly NewMessage[]): Promise<void> {
  const all = <Name extends keyof NewMessage>(name: Name): NewMessage[Name][] => rows.map((row) => row[name]);
  await sql`
    insert into message (charger_id, time, direction, type, message_id, action, frame, characters, error_code, trace_id, epoch, latency_ms, relaxations)
    select charger_id, time, direction, type, message_id, action, frame, characters, error_code, trace_id, epoch, latency_ms,
      string_to_array(relaxations, ',')
    from unnest(${all("charger_id")}::text[], ${all("time")}::timestamptz[], ${all("direction")}::text[], ${all("type")}::text[],
      ${all("message_id")}::text[], ${all("action")}::text[], ${all("frame")}::text[], ${all("characters")}::integer[],
      ${all("error_code")}::text[], ${all("trace_id")}::text[], ${all("epoch")}::bigint[], ${all("latency_ms")}::double precision[],
      ${rows.map(({ relaxations }) => relaxations.join(","))}::text[])
      as one (charger_id, time, direction, type, message_id, action, frame, characters, error_code, trace_id, epoch, latency_ms, relaxations)`.execute(
    db,
  );
}

/** What a list is narrowed to. */
export interface MessageFilter {
  direction: MessageDirection | undefined;
  type: MessageType | undefined;
  action: string | undefined;
  messageId: string | undefined;
  traceId: string | undefined;
  fromTime: Date | undefined;
  toTime: Date | undefined;
  onlyErrors: boolean;
  /** A text that the frame holds, in whatever case. */
  query: string | undefined;
}

/** The frames of a charger, newest first, after the given one. */
export function messagesBefore(
  db: Db,
  chargerId: string,
  before: { time: string; number: number } | undefined,
  limit: number,
  filter: MessageFilter,
): Promise<MessageRow[]> {
  let query = db
    .selectFrom("message")
    .selectAll()
    .where("charger_id", "=", chargerId)
    .orderBy("time", "desc")
    .orderBy("number", "desc")
    .limit(limit);
  if (before !== undefined) {
    // The first is said by the second, but for Postgres, which finds by it the partitions that it need not look into.
    query = query.where("time", "<=", new Date(before.time));
    query = query.where(sql<boolean>`(time, number) < (${before.time}::timestamptz, ${before.number}::bigint)`);
  }
  if (filter.direction !== undefined) query = query.where("direction", "=", filter.direction);
  if (filter.type !== undefined) query = query.where("type", "=", filter.type);
  if (filter.action !== undefined) query = query.where("action", "=", filter.action);
  if (filter.messageId !== undefined) query = query.where("message_id", "=", filter.messageId);
  if (filter.traceId !== undefined) query = query.where("trace_id", "=", filter.traceId);
  if (filter.fromTime !== undefined) query = query.where("time", ">=", filter.fromTime);
  if (filter.toTime !== undefined) query = query.where("time", "<", filter.toTime);
  if (filter.onlyErrors) query = query.where("type", "in", ["CALLERROR", "UNREADABLE"]);
  if (filter.query !== undefined) query = query.where(sql<boolean>`strpos(lower(frame), lower(${filter.query})) > 0`);
  return query.execute();
}

const DAY_MS = 24 * 3_600_000;
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Makes the partitions of today and the next two days, those that are missing, and drops those older than so many days: with 0 all there are. */
export async function keepMessageDays(db: Db, now: Date, days: number): Promise<void> {
  const time = now.getTime();
  const ahead = [0, 1, 2];
  if (days > 0) for (const day of ahead) await sql`select make_message_partition(${dayOf(time + day * DAY_MS)}::date)`.execute(db);
  const before = days > 0 ? time - days * DAY_MS : time + ahead.length * DAY_MS;
  await sql`select drop_message_partitions(${dayOf(before)}::date)`.execute(db);
}
