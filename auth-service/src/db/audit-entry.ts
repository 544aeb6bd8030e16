import { type Insertable, type Selectable, sql } from "kysely";
import type { AuditEntryTable, Db } from "./schema.ts";

const columns = [
  "id",
  "time",
  "actor_kind",
  "actor_id",
  "actor_name",
  "api_key_id",
  "action",
  "resource",
  "result",
  "remote_address",
  "request_id",
  "details",
  "count",
] as const;

export type AuditEntryRow = Selectable<AuditEntryTable>;

/** Nothing happens if there is one with this id already. */
export async function insertAuditEntry(db: Db, row: Insertable<AuditEntryTable>): Promise<void> {
  await db
    .insertInto("audit_entry")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Which entries are asked for; undefined is any. */
export interface AuditEntryFilter {
  actorId: string | undefined;
  apiKeyId: string | undefined;
  resource: string | undefined;
  action: string | undefined;
  result: string | undefined;
  /** From this time on. */
  startTime: Date | undefined;
  /** Before this time. */
  endTime: Date | undefined;
}

/** Newest first, at most `limit`; those that come after `cursor` in that order. */
export function listAuditEntryRows(
  db: Db,
  filter: AuditEntryFilter,
  limit: number,
  cursor: { time: Date; id: string } | undefined,
): Promise<AuditEntryRow[]> {
  let query = db.selectFrom("audit_entry").select(columns).orderBy("time", "desc").orderBy("id", "desc").limit(limit);
  if (filter.actorId !== undefined) query = query.where("actor_id", "=", filter.actorId);
  if (filter.apiKeyId !== undefined) query = query.where("api_key_id", "=", filter.apiKeyId);
  if (filter.resource !== undefined) query = query.where("resource", "=", filter.resource);
  if (filter.action !== undefined) query = query.where("action", "=", filter.action);
  if (filter.result !== undefined) query = query.where("result", "=", filter.result);
  if (filter.startTime !== undefined) query = query.where("time", ">=", filter.startTime);
  if (filter.endTime !== undefined) query = query.where("time", "<", filter.endTime);
  if (cursor !== undefined) query = query.where(sql<boolean>`(time, id) < (${cursor.time}::timestamptz, ${cursor.id}::uuid)`);
  return query.execute();
}

/** Removes the oldest entries of those that are older than `days`, some thousands at most, and says how many. 90 days are kept whatever is said. */
export async function forgetAuditEntries(db: Db, days: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`select forget_audit_entries(${days}) as count`.execute(db);
  return rows[0]?.count ?? 0;
}
