import { sql } from "kysely";
import type { AlarmRow, Db, OutageKind } from "./schema.ts";

/** Of one charger; more tell nobody more. */
const ERROR_CODES_MAX = 20;
const CONNECTOR_IDS_MAX = 100;

/** One alarm that is to be told of. */
export interface Alarm {
  kind: OutageKind;
  charger_id: string;
  time: Date;
  event_id: string;
  connector_ids: number[];
  error_codes: string[];
}

/** Adds an alarm to what the next mail tells of its charger. Only behind `scheduleDigest`, which is what others wait for. */
export async function addAlarm(tx: Db, { kind, charger_id, time, event_id, connector_ids, error_codes }: Alarm): Promise<void> {
  const merged = (column: string, limit: number) =>
    sql`(select coalesce((array_agg(distinct one order by one))[1:${sql.lit(limit)}], '{}')
      from unnest(${sql.ref(`alarm.${column}`)} || ${sql.ref(`excluded.${column}`)}) as one)`;
  await sql`
    insert into alarm (kind, charger_id, event_id, first_time, last_time, count, connector_ids, error_codes)
    values (${kind}, ${charger_id}, ${event_id}, ${time}, ${time}, 1, ${connector_ids}, ${error_codes})
    on conflict (kind, charger_id) do update set
      first_time = least(alarm.first_time, excluded.first_time),
      last_time = greatest(alarm.last_time, excluded.last_time),
      count = alarm.count + 1,
      connector_ids = ${merged("connector_ids", CONNECTOR_IDS_MAX)},
      error_codes = ${merged("error_codes", ERROR_CODES_MAX)}`.execute(tx);
}

/** Takes all alarms of a kind away, to be told; the oldest first. */
export async function takeAlarms(tx: Db, kind: OutageKind): Promise<AlarmRow[]> {
  const rows = await tx
    .deleteFrom("alarm")
    .where("kind", "=", kind)
    .returning(["kind", "charger_id", "event_id", "first_time", "last_time", "count", "connector_ids", "error_codes"])
    .execute();
  return rows.sort((a, b) => a.first_time.getTime() - b.first_time.getTime() || (a.charger_id < b.charger_id ? -1 : 1));
}

export async function deleteAlarmsOf(tx: Db, chargerId: string): Promise<void> {
  await tx.deleteFrom("alarm").where("charger_id", "=", chargerId).execute();
}

/** Has a mail go at `soonest`, or after `pauseMs` since the last one if that is later, unless one is due already. */
export async function scheduleDigest(tx: Db, kind: OutageKind, soonest: Date, pauseMs: number): Promise<void> {
  await sql`
    insert into digest (kind, due_time) values (${kind}, ${soonest})
    on conflict (kind) do update set due_time =
      coalesce(digest.due_time, greatest(excluded.due_time, digest.send_time + ${pauseMs} * interval '1 millisecond'))`.execute(tx);
}

/** Takes a digest that is due; undefined if none is, or others are at it. New alarms of its kind wait for the caller's transaction. */
export async function takeDueDigest(tx: Db, now: Date): Promise<OutageKind | undefined> {
  const row = await tx
    .updateTable("digest")
    .set({ due_time: null })
    .where("kind", "in", (eb) => eb.selectFrom("digest").select("kind").where("due_time", "<=", now).limit(1).forUpdate().skipLocked())
    .returning("kind")
    .executeTakeFirst();
  return row?.kind;
}

export async function markDigestSent(tx: Db, kind: OutageKind, now: Date): Promise<void> {
  await tx.updateTable("digest").set({ send_time: now }).where("kind", "=", kind).execute();
}
