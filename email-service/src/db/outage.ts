import { type ExpressionBuilder, type RawBuilder, sql } from "kysely";
import type { Database, Db, OutageKind } from "./schema.ts";

/** What is wrong, and where: with a connector, or with the charger as a whole (0 and 0). */
export interface Place {
  kind: OutageKind;
  charger_id: string;
  evse_id: number;
  connector_id: number;
}

/** An outage that has begun, or goes on in another way, as an event told. */
export interface Onset extends Place {
  time: Date;
  event_id: string;
  /** When it becomes an alarm unless it is over by then; null if it is one already. */
  alarm_time: Date | null;
}

const goesOn: RawBuilder<boolean> = sql`begin_time > coalesce(end_time, '-infinity')`;

/** Says whether it is news: false if this event, or a newer one of the same, was here before. It may be over by now all the same. */
export async function beginOutage(
  tx: Db,
  { kind, charger_id, evse_id, connector_id, time, event_id, alarm_time }: Onset,
): Promise<boolean> {
  const { rows } = await sql`
    insert into outage (kind, charger_id, evse_id, connector_id, begin_time, event_id, alarm_time)
    values (${kind}, ${charger_id}, ${evse_id}, ${connector_id}, ${time}, ${event_id}, ${alarm_time})
    on conflict (kind, charger_id, evse_id, connector_id) do update set
      begin_time = excluded.begin_time,
      event_id = excluded.event_id,
      alarm_time = case when outage.end_time >= excluded.begin_time then null else excluded.alarm_time end
    where excluded.begin_time > coalesce(outage.begin_time, '-infinity')
    returning charger_id`.execute(tx);
  return rows.length > 0;
}

/** Remembers that it is over, also if nobody has told us yet that it had begun. */
export async function endOutage(tx: Db, { kind, charger_id, evse_id, connector_id }: Place, time: Date): Promise<void> {
  await sql`
    insert into outage (kind, charger_id, evse_id, connector_id, end_time)
    values (${kind}, ${charger_id}, ${evse_id}, ${connector_id}, ${time})
    on conflict (kind, charger_id, evse_id, connector_id) do update set
      end_time = greatest(outage.end_time, excluded.end_time),
      alarm_time = case when outage.begin_time <= excluded.end_time then null else outage.alarm_time end`.execute(tx);
}

/** Whatever was wrong with a charger does not matter any more. */
export async function endOutagesOf(tx: Db, chargerId: string, time: Date): Promise<void> {
  await tx
    .updateTable("outage")
    .set({ end_time: time, alarm_time: null })
    .where("charger_id", "=", chargerId)
    .where("begin_time", "<=", time)
    .where(goesOn)
    .execute();
}

/** An outage that has lasted so long that somebody shall hear of it. */
export interface LastingOutage {
  kind: OutageKind;
  charger_id: string;
  time: Date;
  event_id: string;
}

/** Takes up to `limit` outages whose alarm is due from the others, who leave them alone. */
export function takeLastingOutages(tx: Db, now: Date, limit: number): Promise<LastingOutage[]> {
  return tx
    .updateTable("outage")
    .set({ alarm_time: null })
    .where(sql<string>`ctid`, "in", (eb: ExpressionBuilder<Database, "outage">) =>
      eb.selectFrom("outage").select(sql<string>`ctid`.as("ctid")).where("alarm_time", "<=", now).limit(limit).forUpdate().skipLocked(),
    )
    .returning(["kind", "charger_id", sql<Date>`begin_time`.as("time"), sql<string>`event_id`.as("event_id")])
    .execute();
}

/** The chargers with an outage of a kind that is not over. */
export async function chargersWithOutage(tx: Db, kind: OutageKind, chargerIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx
    .selectFrom("outage")
    .select("charger_id")
    .distinct()
    .where("kind", "=", kind)
    .where("charger_id", "=", sql<string>`any(${chargerIds})`)
    .where(goesOn)
    .execute();
  return new Set(rows.map(({ charger_id }) => charger_id));
}

/** Forgets outages that were over before `before`. */
export async function deleteOldOutages(db: Db, before: Date): Promise<void> {
  await db
    .deleteFrom("outage")
    .where("end_time", "<", before)
    .where(sql<boolean>`(begin_time is null or begin_time <= end_time)`)
    .execute();
}
