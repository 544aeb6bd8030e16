import { sql } from "kysely";
import type { Db, MeterValueRow, NewMeterValue } from "./schema.ts";

/** No meter shows more, in Wh or W: what does is garbage, and what is reckoned of it would be more than Postgres can count with. */
export const PLAUSIBLE_MAX = 1e15;

/** Keeps readings, each once, and answers how many are new. */
export async function insertMeterValues(tx: Db, rows: readonly NewMeterValue[]): Promise<number> {
  if (rows.length === 0) return 0;
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto("meter_value")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows);
}

/** The readings of a transaction, oldest first, after the given one. */
export function meterValuesAfter(
  db: Db,
  transactionId: number,
  cursor: { time: string; payloadHash: string } | undefined,
  limit: number,
): Promise<MeterValueRow[]> {
  let query = db
    .selectFrom("meter_value")
    .select(["charger_id", "evse_id", "connector_id", "transaction_id", "time", "payload_hash", "sampled_values"])
    .where("transaction_id", "=", transactionId)
    .orderBy("time")
    .orderBy("payload_hash")
    .limit(limit);
  if (cursor !== undefined)
    query = query.where(sql<boolean>`(time, payload_hash) > (${cursor.time}::timestamptz, ${cursor.payloadHash}::uuid)`);
  return query.execute();
}

/** Makes the partitions of this month and the next two, those that are missing. */
export async function makePartitions(db: Db, now: Date): Promise<void> {
  for (const ahead of [0, 1, 2]) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1)).toISOString().slice(0, 10);
    await sql`select make_meter_value_partition(${month}::date)`.execute(db);
  }
}
