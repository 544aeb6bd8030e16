import type { FieldViolation } from "@chargemesh/kit/errors";
import type { ProfileContent, ProfileSchedule, Recurrency } from "../db/charging-profile-tables.ts";

const RECURRENCE_SECONDS: Record<Recurrency, number> = { DAILY: 86_400, WEEKLY: 604_800 };

/** What is wrong with a charging profile, by field; empty if nothing (OCPP 1.6 §3.13, §7.8, §7.13, §7.14). */
export function faultsOf(content: ProfileContent): FieldViolation[] {
  const { kind, recurrency, purpose, schedule, validFromTime, validToTime } = content;
  const faults: FieldViolation[] = [];
  const refuse = (field: string, description: string): void => void faults.push({ field, description });
  if (purpose === "CHARGER_MAX" && kind === "RELATIVE") {
    refuse("kind", "must not be RELATIVE with CHARGER_MAX, which is for no transaction");
  }
  if (kind === "RECURRING" && recurrency === undefined) refuse("recurrency", "is required with RECURRING");
  if (kind !== "RECURRING" && recurrency !== undefined) refuse("recurrency", "must be said only with RECURRING");
  if (kind !== "RELATIVE" && schedule.startTime === undefined) refuse("schedule.start_time", `is required with ${kind}`);
  if (kind === "RELATIVE" && schedule.startTime !== undefined) refuse("schedule.start_time", "must not be said with RELATIVE");
  if (validFromTime !== undefined && validToTime !== undefined && validToTime <= validFromTime) {
    refuse("valid_to_time", "must be later than valid_from_time");
  }
  return [...faults, ...scheduleFaults(schedule, recurrency === undefined ? undefined : RECURRENCE_SECONDS[recurrency])];
}

function scheduleFaults({ durationSeconds, periods, minChargingRate }: ProfileSchedule, recurrence: number | undefined): FieldViolation[] {
  const faults: FieldViolation[] = [];
  const refuse = (field: string, description: string): void => void faults.push({ field: `schedule.${field}`, description });
  if (recurrence !== undefined && durationSeconds !== undefined && durationSeconds > recurrence) {
    refuse("duration_seconds", `must be at most ${recurrence}, when it begins again`);
  }
  const end = Math.min(durationSeconds ?? Number.POSITIVE_INFINITY, recurrence ?? Number.POSITIVE_INFINITY);
  periods.forEach(({ startSeconds, limit }, i) => {
    const before = periods[i - 1];
    if (before === undefined && startSeconds !== 0) refuse(`periods[${i}].start_seconds`, "must be 0 in the first period");
    else if (before !== undefined && startSeconds <= before.startSeconds) {
      refuse(`periods[${i}].start_seconds`, "must be later than that of the period before");
    } else if (startSeconds >= end) refuse(`periods[${i}].start_seconds`, `must be earlier than ${end}, when the schedule ends`);
    if (!hasOneDecimal(limit)) refuse(`periods[${i}].limit`, "must have at most one decimal");
  });
  if (minChargingRate !== undefined && !hasOneDecimal(minChargingRate)) refuse("min_charging_rate", "must have at most one decimal");
  return faults;
}

/** Binary fractions have no tenths: near enough is meant so. */
function hasOneDecimal(value: number): boolean {
  return Math.abs(value * 10 - Math.round(value * 10)) < 1e-6;
}
