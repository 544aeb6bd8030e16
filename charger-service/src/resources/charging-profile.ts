import type { ChargingProfile, ChargingProfileAssignment, ChargingSchedule } from "@chargemesh/contracts/charger/v1/charging_profile";
import type { ReportedSchedule } from "@chargemesh/contracts/charger/v1/composite_schedule";
import type { AssignmentRow, ChargingProfileRow, ProfileContent, ProfileSchedule, ScheduleReport } from "../db/charging-profile-tables.ts";

export function toChargingProfile(row: ChargingProfileRow): ChargingProfile {
  return {
    ...profileOf(row.content),
    id: row.id,
    displayName: row.display_name,
    createTime: row.create_time,
    updateTime: row.update_time,
    etag: String(row.version),
  };
}

export function toAssignment(row: AssignmentRow): ChargingProfileAssignment {
  return {
    id: row.id,
    chargingProfileId: row.charging_profile_id ?? "",
    chargingProfileEtag: row.charging_profile_version === null ? "" : String(row.charging_profile_version),
    chargerId: row.charger_id,
    evseId: row.evse_id,
    connectorId: row.connector_id,
    transactionId: row.transaction_id === null ? "" : String(row.transaction_id),
    number: row.number,
    chargingProfile: profileOf(row.content),
    state: row.state,
    status: row.status,
    errorCode: row.error_code,
    commandId: row.command_id,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}

/** What a charger is told of a profile, and nothing else. */
function profileOf(content: ProfileContent): ChargingProfile {
  return {
    id: "",
    displayName: "",
    purpose: content.purpose,
    stackLevel: content.stackLevel,
    kind: content.kind,
    recurrency: content.recurrency ?? "RECURRENCY_UNSPECIFIED",
    validFromTime: toTime(content.validFromTime),
    validToTime: toTime(content.validToTime),
    schedule: scheduleOf(content.schedule),
    createTime: undefined,
    updateTime: undefined,
    etag: "",
  };
}

function scheduleOf(schedule: ProfileSchedule): ChargingSchedule {
  return {
    startTime: toTime(schedule.startTime),
    durationSeconds: schedule.durationSeconds,
    rateUnit: schedule.rateUnit,
    periods: schedule.periods.map(({ startSeconds, limit, numberPhases }) => ({ startSeconds, limit, numberPhases })),
    minChargingRate: schedule.minChargingRate,
  };
}

function toTime(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

/** What a charger says that its profiles come to. */
export function toReportedSchedule(report: ScheduleReport): ReportedSchedule {
  return {
    status: report.status,
    startTime: toTime(report.startTime),
    durationSeconds: report.durationSeconds,
    rateUnit: report.rateUnit ?? "RATE_UNIT_UNSPECIFIED",
    periods: report.periods.map(({ startSeconds, limit, numberPhases }) => ({ startSeconds, limit, numberPhases })),
  };
}
