import { type Insertable, sql } from "kysely";
import { folded } from "./id-token.ts";
import type { ReservationRow, ReservationState } from "./reservation-tables.ts";
import type { Database, Db } from "./schema.ts";

const columns = [
  "id",
  "charger_id",
  "number",
  "evse_id",
  "connector_id",
  "id_token",
  "parent_id_token",
  "user_id",
  "expire_time",
  "warn_time",
  "state",
  "status",
  "error_code",
  "transaction_id",
  "reserve_command_id",
  "cancel_command_id",
  "create_time",
  "update_time",
  "ordinal",
] as const;

/** Those that a charger keeps, or may keep. */
export const openStates: readonly ReservationState[] = ["PENDING", "ACTIVE", "UNCERTAIN"];

/** Undefined if there is none; with `userId`, if it is not that user's. */
export function reservationById(db: Db, id: string, userId?: string): Promise<ReservationRow | undefined> {
  let query = db.selectFrom("reservation").select(columns).where("id", "=", id);
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  return query.executeTakeFirst();
}

/** How many chargers keep, or may keep, for this user. */
export async function countOpenReservations(db: Db, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom("reservation")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("user_id", "=", userId)
    .where("state", "in", openStates)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** One, held until the database transaction ends. */
export function lockReservation(tx: Db, id: string): Promise<ReservationRow | undefined> {
  return tx.selectFrom("reservation").select(columns).where("id", "=", id).forUpdate().executeTakeFirst();
}

/** The one that this command asked a charger to keep. Undefined if it asked for none. */
export function reservationByCommand(db: Db, commandId: string): Promise<ReservationRow | undefined> {
  return db.selectFrom("reservation").select(columns).where("reserve_command_id", "=", commandId).executeTakeFirst();
}

/** The one that a charger knows by this number, held until the database transaction ends. */
export async function lockReservationByNumber(tx: Db, chargerId: string, number: number): Promise<ReservationRow | undefined> {
  if (!isNumber(number)) return undefined;
  return tx
    .selectFrom("reservation")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("number", "=", number)
    .forUpdate()
    .executeTakeFirst();
}

/** Whether the column holds such a number. */
export function isNumber(number: number): boolean {
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31;
}

/** What a charger keeps, or may keep, at this connector or as any one of it; that of the connector first. Held until the database transaction ends. */
export function lockOpenReservations(tx: Db, chargerId: string, connectorId: number): Promise<ReservationRow[]> {
  return tx
    .selectFrom("reservation")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("state", "in", openStates)
    .where("connector_id", "in", [0, connectorId])
    .orderBy("connector_id", "desc")
    .orderBy("ordinal")
    .forUpdate()
    .execute();
}

/** What a list is narrowed to. */
export interface ReservationFilter {
  chargerId: string | undefined;
  idToken: string | undefined;
  state: ReservationState | undefined;
  userId: string | undefined;
}

/** Newest first, after the one of this ordinal. */
export function reservationsBefore(
  db: Db,
  beforeOrdinal: number | undefined,
  limit: number,
  filter: ReservationFilter,
): Promise<ReservationRow[]> {
  let query = db.selectFrom("reservation").select(columns).orderBy("ordinal", "desc").limit(limit);
  if (beforeOrdinal !== undefined) query = query.where("ordinal", "<", beforeOrdinal);
  if (filter.chargerId !== undefined) query = query.where("charger_id", "=", filter.chargerId);
  if (filter.idToken !== undefined) query = query.where(sql`lower(id_token)`, "=", folded(filter.idToken));
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.userId !== undefined) query = query.where("user_id", "=", filter.userId);
  return query.execute();
}

/** A number that no reservation of this charger has. */
export async function nextReservationNumber(db: Db, chargerId: string): Promise<number> {
  for (;;) {
    const { rows } = await sql<{ number: number; is_taken: boolean }>`
      with next as (select nextval('reservation_number')::integer as number)
      select number, exists (select from reservation where charger_id = ${chargerId} and reservation.number = next.number) as is_taken
      from next`.execute(db);
    const [next] = rows;
    if (next !== undefined && !next.is_taken) return next.number;
  }
}

export function insertReservation(tx: Db, row: Insertable<Database["reservation"]>): Promise<ReservationRow> {
  return tx.insertInto("reservation").values(row).returning(columns).executeTakeFirstOrThrow();
}

/** What may change of a reservation. */
export type ReservationChange = Partial<
  Pick<
    ReservationRow,
    | "evse_id"
    | "connector_id"
    | "id_token"
    | "parent_id_token"
    | "user_id"
    | "expire_time"
    | "warn_time"
    | "state"
    | "status"
    | "error_code"
    | "transaction_id"
    | "cancel_command_id"
  >
>;

/** Changes a reservation that is in one of the states `from`. Undefined if it is not. */
export function changeReservation(
  tx: Db,
  id: string,
  from: readonly ReservationState[],
  change: ReservationChange,
): Promise<ReservationRow | undefined> {
  return tx
    .updateTable("reservation")
    .set({ ...change, update_time: sql<Date>`now()` })
    .where("id", "=", id)
    .where("state", "in", from)
    .returning(columns)
    .executeTakeFirst();
}

/** Ends those whose time is over. Each is answered to one caller, however many ask at once. */
export function expireReservations(tx: Db): Promise<ReservationRow[]> {
  return tx
    .updateTable("reservation")
    .set({ state: "EXPIRED", update_time: sql<Date>`now()` })
    .where("state", "in", ["ACTIVE", "UNCERTAIN"])
    .where("expire_time", "<=", sql<Date>`now()`)
    .returning(columns)
    .execute();
}

/**
 * Notes that those whose time is over within so many minutes are about to end, but for those that were for less than twice that. Each is
 * answered once and to one caller, however many ask.
 */
export function warnReservations(tx: Db, minutes: number): Promise<ReservationRow[]> {
  return tx
    .updateTable("reservation")
    .set({ warn_time: sql<Date>`now()` })
    .where("state", "=", "ACTIVE")
    .where("warn_time", "is", null)
    .where("expire_time", ">", sql<Date>`now()`)
    .where("expire_time", "<=", sql<Date>`now() + make_interval(mins => ${minutes})`)
    .where("create_time", "<=", sql<Date>`expire_time - 2 * make_interval(mins => ${minutes})`)
    .returning(columns)
    .execute();
}

/** Ends those of a connector that a charger gives up; with connector 0, all that it has. */
export function removeReservations(tx: Db, chargerId: string, connectorId: number): Promise<ReservationRow[]> {
  let query = tx
    .updateTable("reservation")
    .set({ state: "REMOVED", update_time: sql<Date>`now()` })
    .where("charger_id", "=", chargerId)
    .where("state", "in", ["ACTIVE", "UNCERTAIN"]);
  if (connectorId !== 0) query = query.where("connector_id", "=", connectorId);
  return query.returning(columns).execute();
}

/** Whether a charger says now that this connector is kept for somebody. */
export async function isConnectorReserved(db: Db, chargerId: string, evseId: number, connectorId: number): Promise<boolean> {
  const found = await db
    .selectFrom("connector")
    .select("status")
    .where("charger_id", "=", chargerId)
    .where("evse_id", "=", evseId)
    .where("connector_id", "=", connectorId)
    .executeTakeFirst();
  return found?.status === "RESERVED";
}
