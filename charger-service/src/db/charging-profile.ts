import { jsonText } from "@chargemesh/kit/postgres";
import { sql } from "kysely";
import type { ChargingProfileRow, ProfileContent, ProfilePurpose, ScheduleReport } from "./charging-profile-tables.ts";
import type { Db } from "./schema.ts";

const columns = ["id", "display_name", "purpose", "content", "version", "create_time", "update_time", "ordinal"] as const;

/** Undefined if there is none. */
export function chargingProfileById(db: Db, id: string): Promise<ChargingProfileRow | undefined> {
  return db.selectFrom("charging_profile").select(columns).where("id", "=", id).executeTakeFirst();
}

/** The same, held until the database transaction ends. */
export function lockChargingProfile(tx: Db, id: string): Promise<ChargingProfileRow | undefined> {
  return tx.selectFrom("charging_profile").select(columns).where("id", "=", id).forUpdate().executeTakeFirst();
}

/** Newest first, after the one of this ordinal. */
export function chargingProfilesBefore(
  db: Db,
  beforeOrdinal: number | undefined,
  limit: number,
  purpose: ProfilePurpose | undefined,
): Promise<ChargingProfileRow[]> {
  let query = db.selectFrom("charging_profile").select(columns).orderBy("ordinal", "desc").limit(limit);
  if (beforeOrdinal !== undefined) query = query.where("ordinal", "<", beforeOrdinal);
  if (purpose !== undefined) query = query.where("purpose", "=", purpose);
  return query.execute();
}

export function insertChargingProfile(tx: Db, displayName: string, content: ProfileContent): Promise<ChargingProfileRow> {
  return tx
    .insertInto("charging_profile")
    .values({ display_name: displayName, purpose: content.purpose, content: jsonText(content) })
    .returning(columns)
    .executeTakeFirstOrThrow();
}

export function writeChargingProfile(tx: Db, id: string, displayName: string, content: ProfileContent): Promise<ChargingProfileRow> {
  return tx
    .updateTable("charging_profile")
    .set((eb) => ({
      display_name: displayName,
      purpose: content.purpose,
      content: jsonText(content),
      version: eb("version", "+", 1),
      update_time: sql<Date>`now()`,
    }))
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirstOrThrow();
}

export async function deleteChargingProfile(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom("charging_profile").where("id", "=", id).execute();
}

/** Keeps what a charger says that its profiles come to, in the place of what it said before. */
export async function keepReportedSchedule(
  tx: Db,
  chargerId: string,
  connectorId: number,
  commandId: string,
  report: ScheduleReport,
): Promise<void> {
  await tx
    .insertInto("reported_schedule")
    .values({ charger_id: chargerId, connector_id: connectorId, command_id: commandId, report: jsonText(report) })
    .onConflict((conflict) =>
      conflict
        .columns(["charger_id", "connector_id"])
        .doUpdateSet(({ ref }) => ({ command_id: ref("excluded.command_id"), report: ref("excluded.report") })),
    )
    .execute();
}

/** What a charger answered to this command. Undefined if it has not, or has answered another one since. */
export async function reportedSchedule(
  db: Db,
  chargerId: string,
  connectorId: number,
  commandId: string,
): Promise<ScheduleReport | undefined> {
  const row = await db
    .selectFrom("reported_schedule")
    .select("report")
    .where("charger_id", "=", chargerId)
    .where("connector_id", "=", connectorId)
    .where("command_id", "=", commandId)
    .executeTakeFirst();
  return row?.report;
}
