import { type ExpressionBuilder, sql } from "kysely";
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

/** Says whether it is news: false if this event, or a newer one of the same place, was here before. */
export async function beginOutage(tx: Db, onset: Onset): Promise<boolean> {
  const row = await tx
    .insertInto("outage")
    .values({ ...onset, is_over: false })
    .onConflict((conflict) =>
      conflict
        .columns(["kind", "charger_id", "evse_id", "connector_id"])
        .doUpdateSet((eb) => ({
          is_over: false,
          time: eb.ref("excluded.time"),
          event_id: eb.ref("excluded.event_id"),
          alarm_time: eb.ref("excluded.alarm_time"),
        }))
        .whereRef("excluded.time", ">", "outage.time"),
    )
    .returning("charger_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Remembers that it is over, also if nobody has told us yet that it had begun. */
export async function endOutage(tx: Db, { time, ...place }: Place & { time: Date; event_id: string }): Promise<void> {
  await tx
    .insertInto("outage")
    .values({ ...place, time, is_over: true, alarm_time: null })
    .onConflict((conflict) =>
      conflict
        .columns(["kind", "charger_id", "evse_id", "connector_id"])
        .doUpdateSet((eb) => ({
          is_over: true,
          time: eb.ref("excluded.time"),
          event_id: eb.ref("excluded.event_id"),
          alarm_time: null,
        }))
        .whereRef("excluded.time", ">=", "outage.time"),
    )
    .execute();
}

/** Whatever was wrong with a charger does not matter any more. */
export async function endOutagesOf(tx: Db, chargerId: string, time: Date): Promise<void> {
  await tx
    .updateTable("outage")
    .set({ is_over: true, time, alarm_time: null })
    .where("charger_id", "=", chargerId)
    .where("time", "<=", time)
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
    .returning(["kind", "charger_id", "time", "event_id"])
    .execute();
}

/** The chargers with an outage of a kind that is not over. */
export async function chargersWithOutage(tx: Db, kind: OutageKind, chargerIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx
    .selectFrom("outage")
    .select("charger_id")
    .distinct()
    .where("kind", "=", kind)
    .where("is_over", "=", false)
    .where("charger_id", "=", sql<string>`any(${chargerIds})`)
    .execute();
  return new Set(rows.map(({ charger_id }) => charger_id));
}

/** Forgets outages that were over before `before`. */
export async function deleteOldOutages(db: Db, before: Date): Promise<void> {
  await db.deleteFrom("outage").where("is_over", "=", true).where("time", "<", before).execute();
}
