import { type Insertable, sql } from "kysely";
import { folded } from "./id-token.ts";
import type { Database, Db, TransactionFlag, TransactionRow, TransactionState } from "./schema.ts";

const ordinary = [
  "id",
  "charger_id",
  "evse_id",
  "connector_id",
  "id_token",
  "id_token_status",
  "user_id",
  "state",
  "start_time",
  "stop_time",
  "meter_start_wh",
  "meter_last_wh",
  "meter_last_time",
  "meter_stop_wh",
  "power_w",
  "stop_reason",
  "flags",
  "boot_count",
  "reported_id",
  "create_time",
  "update_time",
] as const;
/** Everything of a transaction. */
export const columns = [...ordinary, "stop_id_token"] as const;

/** Transactions as everybody's or, with `userId`, as that user's: who stopped one by a card of theirs is not told, for the card is not the user's. */
function selectTransactions(db: Db, userId: string | undefined) {
  const query = db.selectFrom("transaction").select(ordinary);
  if (userId === undefined) return query.select(sql<string>`stop_id_token`.as("stop_id_token"));
  const isOwn = sql`exists (select from id_token own where own.folded = lower(stop_id_token) and own.user_id = ${userId})`;
  return query.select(sql<string>`case when ${isOwn} then stop_id_token else '' end`.as("stop_id_token")).where("user_id", "=", userId);
}

/** The largest id that a transaction can have. */
export const TRANSACTION_ID_MAX = 2 ** 31 - 1;

/** Undefined if there is none; with `userId`, if it is not that user's. */
export function transactionById(db: Db, id: number, userId?: string): Promise<TransactionRow | undefined> {
  return selectTransactions(db, userId).where("id", "=", id).executeTakeFirst();
}

/**
 * The charger's own transaction of this id, held until the database transaction ends. A stop without a start is none: the charger was
 * never told its id.
 */
export async function lockTransaction(tx: Db, chargerId: string, id: number): Promise<TransactionRow | undefined> {
  if (!Number.isInteger(id) || id < 1 || id > TRANSACTION_ID_MAX) return undefined;
  return tx
    .selectFrom("transaction")
    .select(columns)
    .where("id", "=", id)
    .where("charger_id", "=", chargerId)
    .where("reported_id", "is", null)
    .forUpdate()
    .executeTakeFirst();
}

/** What a list is narrowed to. */
export interface TransactionFilter {
  chargerId: string | undefined;
  idToken: string | undefined;
  state: TransactionState | undefined;
  userId: string | undefined;
}

/** Newest first, after the one of id `beforeId`. */
export function transactionsBefore(
  db: Db,
  beforeId: number | undefined,
  limit: number,
  filter: TransactionFilter,
): Promise<TransactionRow[]> {
  let query = selectTransactions(db, filter.userId).orderBy("id", "desc").limit(limit);
  if (beforeId !== undefined) query = query.where("id", "<", beforeId);
  if (filter.chargerId !== undefined) query = query.where("charger_id", "=", filter.chargerId);
  if (filter.idToken !== undefined) query = query.where(sql`lower(id_token)`, "=", folded(filter.idToken));
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  return query.execute();
}

/** What is charging at a charger, oldest first. */
export function activeTransactions(db: Db, chargerId: string): Promise<TransactionRow[]> {
  return db
    .selectFrom("transaction")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("state", "=", "ACTIVE")
    .orderBy("id")
    .execute();
}

/**
 * Undefined if the same content is there already. That uses a number up all the same, and 2^31 are soon gone in a loop of a charger's:
 * look before.
 */
export function insertTransaction(tx: Db, row: Insertable<Database["transaction"]>): Promise<TransactionRow | undefined> {
  return tx
    .insertInto("transaction")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning(columns)
    .executeTakeFirst();
}

/** What makes a start the same start. */
export interface StartContent {
  chargerId: string;
  connectorId: number;
  idToken: string;
  startTime: Date;
  meterStartWh: number;
  bootCount: number;
}

/** Those that a start of this content has made, whichever boot it was. */
function selectByStart(tx: Db, start: Omit<StartContent, "bootCount">) {
  return tx
    .selectFrom("transaction")
    .where("charger_id", "=", start.chargerId)
    .where("connector_id", "=", start.connectorId)
    .where(sql`lower(id_token)`, "=", folded(start.idToken))
    .where("start_time", "=", start.startTime)
    .where("meter_start_wh", "=", start.meterStartWh)
    .where("reported_id", "is", null);
}

/** The transaction that a start of this content made. Undefined if none came. */
export function transactionByStart(tx: Db, start: StartContent): Promise<TransactionRow | undefined> {
  return selectByStart(tx, start).select(columns).where("boot_count", "=", start.bootCount).executeTakeFirst();
}

/** The newest of those that a start of this content has made, whichever boot it was. Undefined if none came. */
export function newestByStart(tx: Db, start: StartContent): Promise<TransactionRow | undefined> {
  return selectByStart(tx, start).select(columns).orderBy("boot_count", "desc").limit(1).executeTakeFirst();
}

/** Lets nobody else look for a start of this charger until the database transaction ends. */
export async function lockStarts(tx: Db, chargerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('starts of ' || ${chargerId}::text, 0))`.execute(tx);
}

/**
 * The transaction of a start of this content from before a boot, if nothing has shown yet that the charger knows its id: no reading and no stop.
 * From now on it counts as one of this boot. Undefined if there is none.
 */
export function adoptUnheardStart(tx: Db, start: StartContent): Promise<TransactionRow | undefined> {
  const unheard = selectByStart(tx, start)
    .select("id")
    .where("boot_count", "<", start.bootCount)
    .where("meter_last_time", "is", null)
    .where("meter_stop_wh", "is", null)
    .orderBy("boot_count", "desc")
    .limit(1)
    .forUpdate();
  return tx
    .updateTable("transaction")
    .set({ boot_count: start.bootCount, update_time: sql<Date>`now()` })
    .where("id", "=", unheard)
    .returning(columns)
    .executeTakeFirst();
}

/** Whether a stop without a start of this content came before. */
export async function isKnownOrphan(
  tx: Db,
  stop: { charger_id: string; reported_id: number; stop_time: Date; meter_stop_wh: number; boot_count: number },
): Promise<boolean> {
  const found = await tx
    .selectFrom("transaction")
    .select("id")
    .where("charger_id", "=", stop.charger_id)
    .where("reported_id", "=", stop.reported_id)
    .where("stop_time", "=", stop.stop_time)
    .where("meter_stop_wh", "=", stop.meter_stop_wh)
    .where("boot_count", "=", stop.boot_count)
    .executeTakeFirst();
  return found !== undefined;
}

/** What becomes of a transaction that has stopped without the charger's saying so: it ends at its last reading. */
export const stoppedUnsaid = {
  state: "STOPPED" as const,
  stop_time: sql<Date>`coalesce(meter_last_time, start_time)`,
  power_w: null,
  flags: sql<TransactionFlag[]>`array_append(flags, 'STOP_MISSING')`,
  update_time: sql<Date>`now()`,
};

/** Ends what was still active on a connector when a later transaction began there; the charger never said that it stopped. */
export function stopMissing(tx: Db, successor: TransactionRow): Promise<TransactionRow[]> {
  return tx
    .updateTable("transaction")
    .set(stoppedUnsaid)
    .where("charger_id", "=", successor.charger_id)
    .where("connector_id", "=", successor.connector_id)
    .where("state", "=", "ACTIVE")
    .where("id", "<", successor.id)
    .where("start_time", "<=", successor.start_time)
    .returning(columns)
    .execute();
}

/** What a stop says. */
export interface StopFacts {
  stop_time: Date;
  meter_stop_wh: number;
  stop_reason: string;
  stop_id_token: string;
  flags: TransactionFlag[];
}

/** Ends a transaction for good. */
export function finishTransaction(tx: Db, id: number, facts: StopFacts): Promise<TransactionRow> {
  return tx
    .updateTable("transaction")
    .set({ ...facts, state: "STOPPED", power_w: null, update_time: sql<Date>`now()` })
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Adds a flag. */
export function flagTransaction(tx: Db, id: number, flag: TransactionFlag): Promise<TransactionRow> {
  return tx
    .updateTable("transaction")
    .set({ flags: sql<TransactionFlag[]>`array_append(flags, ${flag})`, update_time: sql<Date>`now()` })
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Keeps the newest reading of a transaction whose stop has not come. Undefined if it has, or if there is a newer one. */
export function recordReading(
  tx: Db,
  id: number,
  reading: { time: Date; energyWh: number | undefined; powerW: number | undefined },
): Promise<TransactionRow | undefined> {
  return tx
    .updateTable("transaction")
    .set((eb) => ({
      meter_last_time: reading.time,
      update_time: sql<Date>`now()`,
      ...(reading.energyWh === undefined ? {} : { meter_last_wh: reading.energyWh }),
      ...(reading.powerW === undefined ? {} : { power_w: eb.case().when("state", "=", "ACTIVE").then(reading.powerW).end() }),
      // One that we concluded had stopped went on until then.
      stop_time: eb.case().when("state", "=", "STOPPED").then(sql<Date>`${reading.time}::timestamptz`).end(),
    }))
    .where("id", "=", id)
    .where("meter_stop_wh", "is", null)
    .where((eb) => eb.or([eb("meter_last_time", "is", null), eb("meter_last_time", "<=", reading.time)]))
    .returning(columns)
    .executeTakeFirst();
}
