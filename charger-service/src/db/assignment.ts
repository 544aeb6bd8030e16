import { type Insertable, sql } from "kysely";
import type { AssignmentRow, AssignmentState, ProfilePurpose } from "./charging-profile-tables.ts";
import type { Database, Db } from "./schema.ts";

const columns = [
  "id",
  "charging_profile_id",
  "charging_profile_version",
  "charger_id",
  "evse_id",
  "connector_id",
  "transaction_id",
  "number",
  "purpose",
  "stack_level",
  "content",
  "state",
  "status",
  "error_code",
  "command_id",
  "with_start",
  "create_time",
  "update_time",
  "ordinal",
] as const;

/** Those that a charger has, or may have. */
export const heldStates: readonly AssignmentState[] = ["PENDING", "INSTALLED", "UNCERTAIN"];

/** Undefined if this charger has none of this id. */
export function assignmentById(db: Db, chargerId: string, id: string): Promise<AssignmentRow | undefined> {
  return db
    .selectFrom("charging_profile_assignment")
    .select(columns)
    .where("id", "=", id)
    .where("charger_id", "=", chargerId)
    .executeTakeFirst();
}

/** What this command carries to a charger. Undefined if it carries none. */
export function assignmentByCommand(db: Db, commandId: string): Promise<AssignmentRow | undefined> {
  return db.selectFrom("charging_profile_assignment").select(columns).where("command_id", "=", commandId).executeTakeFirst();
}

/** What a list is narrowed to. */
export interface AssignmentFilter {
  chargingProfileId: string | undefined;
  chargerId: string | undefined;
  transactionId: number | undefined;
  state: AssignmentState | undefined;
}

/** Newest first, after the one of this ordinal. */
export function assignmentsBefore(
  db: Db,
  beforeOrdinal: number | undefined,
  limit: number,
  filter: AssignmentFilter,
): Promise<AssignmentRow[]> {
  let query = db.selectFrom("charging_profile_assignment").select(columns).orderBy("ordinal", "desc").limit(limit);
  if (beforeOrdinal !== undefined) query = query.where("ordinal", "<", beforeOrdinal);
  if (filter.chargingProfileId !== undefined) query = query.where("charging_profile_id", "=", filter.chargingProfileId);
  if (filter.chargerId !== undefined) query = query.where("charger_id", "=", filter.chargerId);
  if (filter.transactionId !== undefined) query = query.where("transaction_id", "=", filter.transactionId);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  return query.execute();
}

/** What a charger has at a connector and as a whole, as far as we know for sure. */
export function installedAssignments(db: Db, chargerId: string, connectorId: number): Promise<AssignmentRow[]> {
  return db
    .selectFrom("charging_profile_assignment")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("state", "=", "INSTALLED")
    .where("connector_id", "in", [0, connectorId])
    .orderBy("ordinal")
    .execute();
}

/** Whether a charger has this profile, or may have it. */
export async function isProfileHeld(db: Db, chargingProfileId: string): Promise<boolean> {
  const found = await db
    .selectFrom("charging_profile_assignment")
    .select("id")
    .where("charging_profile_id", "=", chargingProfileId)
    .where("state", "in", heldStates)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** A number by which no charger knows a profile of ours. */
export async function nextProfileNumber(db: Db, chargerId: string): Promise<number> {
  for (;;) {
    const { rows } = await sql<{ number: number; is_taken: boolean }>`
      with next as (select nextval('charging_profile_number')::integer as number)
      select number, exists (select from charging_profile_assignment held where charger_id = ${chargerId}
        and state in ('PENDING', 'INSTALLED', 'UNCERTAIN') and held.number = next.number) as is_taken from next`.execute(db);
    const [next] = rows;
    if (next !== undefined && !next.is_taken) return next.number;
  }
}

export function insertAssignment(tx: Db, row: Insertable<Database["charging_profile_assignment"]>): Promise<AssignmentRow> {
  return tx.insertInto("charging_profile_assignment").values(row).returning(columns).executeTakeFirstOrThrow();
}

/** What may change of an assignment. */
export type AssignmentChange = Partial<
  Pick<AssignmentRow, "state" | "status" | "error_code" | "transaction_id" | "evse_id" | "connector_id">
>;

/** Changes an assignment that is in one of the states `from`. Undefined if it is not. */
export function changeAssignment(
  tx: Db,
  id: string,
  from: readonly AssignmentState[],
  change: AssignmentChange,
): Promise<AssignmentRow | undefined> {
  return tx
    .updateTable("charging_profile_assignment")
    .set({ ...change, update_time: sql<Date>`now()` })
    .where("id", "=", id)
    .where("state", "in", from)
    .returning(columns)
    .executeTakeFirst();
}

/** Marks what a newly installed one has taken the place of: the same number anywhere, or the same purpose, stack level and place. */
export function replaceAssignments(tx: Db, installed: AssignmentRow): Promise<AssignmentRow[]> {
  return tx
    .updateTable("charging_profile_assignment")
    .set({ state: "REPLACED", update_time: sql<Date>`now()` })
    .where("charger_id", "=", installed.charger_id)
    .where("state", "in", ["INSTALLED", "UNCERTAIN"])
    .where("id", "<>", installed.id)
    .where((eb) =>
      eb.or([
        eb("number", "=", installed.number),
        eb.and([
          eb("connector_id", "=", installed.connector_id),
          eb("purpose", "=", installed.purpose),
          eb("stack_level", "=", installed.stack_level),
        ]),
      ]),
    )
    .returning(columns)
    .execute();
}

/** Marks what a charger has forgotten: the one of this number or, without one, all that are as far as is said. */
export function clearAssignments(
  tx: Db,
  chargerId: string,
  filter: {
    number?: number | undefined;
    connectorId?: number | undefined;
    purpose?: ProfilePurpose | undefined;
    stackLevel?: number | undefined;
  },
): Promise<AssignmentRow[]> {
  let query = tx
    .updateTable("charging_profile_assignment")
    .set({ state: "CLEARED", update_time: sql<Date>`now()` })
    .where("charger_id", "=", chargerId)
    .where("state", "in", ["INSTALLED", "UNCERTAIN"]);
  if (filter.number !== undefined) return query.where("number", "=", filter.number).returning(columns).execute();
  if (filter.connectorId !== undefined) query = query.where("connector_id", "=", filter.connectorId);
  if (filter.purpose !== undefined) query = query.where("purpose", "=", filter.purpose);
  if (filter.stackLevel !== undefined) query = query.where("stack_level", "=", filter.stackLevel);
  return query.returning(columns).execute();
}

/** Ends those of a transaction. */
export function endAssignmentsOf(tx: Db, transactionId: number): Promise<AssignmentRow[]> {
  return tx
    .updateTable("charging_profile_assignment")
    .set({ state: "ENDED", update_time: sql<Date>`now()` })
    .where("transaction_id", "=", transactionId)
    .where("state", "in", ["INSTALLED", "UNCERTAIN"])
    .returning(columns)
    .execute();
}

/** Gives up those whose remote start has led to no transaction in time: none will be linked to it any more. */
export function giveUpStarts(tx: Db, linkSeconds: number): Promise<AssignmentRow[]> {
  return tx
    .updateTable("charging_profile_assignment")
    .set({ state: "FAILED", update_time: sql<Date>`now()` })
    .where("with_start", "=", true)
    .where("state", "in", ["PENDING", "UNCERTAIN"])
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("command")
          .select("command.id")
          .whereRef("command.id", "=", "charging_profile_assignment.command_id")
          .where("command.send_time", "<", sql<Date>`now() - make_interval(secs => ${linkSeconds})`)
          .where("command.state", "not in", ["QUEUED", "SENT"]),
      ),
    )
    .returning(columns)
    .execute();
}
