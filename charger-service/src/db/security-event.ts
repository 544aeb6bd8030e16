import { type Insertable, sql } from "kysely";
import type { SecurityEventRow } from "./certificate-tables.ts";
import type { Database, Db } from "./schema.ts";

const columns = ["id", "charger_id", "type", "is_critical", "tech_info", "time", "create_time"] as const;

/** Undefined if the charger has said the same before. */
export function insertSecurityEvent(tx: Db, event: Insertable<Database["security_event"]>): Promise<SecurityEventRow | undefined> {
  return tx
    .insertInto("security_event")
    .values(event)
    .onConflict((conflict) => conflict.constraint("security_event_is_kept_once").doNothing())
    .returning(columns)
    .executeTakeFirst();
}

export interface SecurityEventFilter {
  chargerId: string | undefined;
  type: string | undefined;
  critical: boolean | undefined;
  /** As the charger says: this time or later, and before that one. */
  startTime: Date | undefined;
  endTime: Date | undefined;
}

/** Newest first, after the one of this id. */
export function securityEventsBefore(
  db: Db,
  beforeId: number | undefined,
  limit: number,
  { chargerId, type, critical, startTime, endTime }: SecurityEventFilter,
): Promise<SecurityEventRow[]> {
  let query = db.selectFrom("security_event").select(columns).orderBy("id", "desc").limit(limit);
  if (beforeId !== undefined) query = query.where("id", "<", beforeId);
  if (chargerId !== undefined) query = query.where("charger_id", "=", chargerId);
  if (type !== undefined) query = query.where("type", "=", type);
  if (critical !== undefined) query = query.where("is_critical", "=", critical);
  if (startTime !== undefined) query = query.where("time", ">=", startTime);
  if (endTime !== undefined) query = query.where("time", "<", endTime);
  return query.execute();
}

/** Forgets those that we heard of more than so many days ago. */
export async function forgetSecurityEvents(db: Db, days: number): Promise<void> {
  await db.deleteFrom("security_event").where("create_time", "<", sql<Date>`now() - make_interval(days => ${days})`).execute();
}
