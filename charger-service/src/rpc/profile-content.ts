import type { ChargingProfile, ChargingSchedule } from "@chargemesh/contracts/charger/v1/charging_profile";
import { badRequest } from "@chargemesh/kit/errors";
import type { ProfileContent, ProfileSchedule } from "../db/charging-profile-tables.ts";
import { mustSay, readTime, said } from "./request.ts";

/** A charging profile of a request, `field` of it. INVALID_ARGUMENT if what it must say is not there. */
export function readContent(profile: ChargingProfile, field: string): ProfileContent {
  return {
    purpose: mustSay(`${field}.purpose`, profile.purpose),
    stackLevel: profile.stackLevel,
    kind: mustSay(`${field}.kind`, profile.kind),
    recurrency: said(profile.recurrency),
    validFromTime: toText(`${field}.valid_from_time`, profile.validFromTime),
    validToTime: toText(`${field}.valid_to_time`, profile.validToTime),
    schedule: readSchedule(profile.schedule, `${field}.schedule`),
  };
}

/** The schedule of a charging profile; what is not said is left out. INVALID_ARGUMENT if there is none. */
export function readSchedule(schedule: ChargingSchedule | undefined, field: string): ProfileSchedule {
  if (schedule === undefined) throw badRequest([{ field, description: "is required" }]);
  return {
    startTime: toText(`${field}.start_time`, schedule.startTime),
    durationSeconds: schedule.durationSeconds,
    rateUnit: mustSay(`${field}.rate_unit`, schedule.rateUnit),
    periods: schedule.periods.map(({ startSeconds, limit, numberPhases }) => ({ startSeconds, limit: toTenth(limit), numberPhases })),
    minChargingRate: schedule.minChargingRate === undefined ? undefined : toTenth(schedule.minChargingRate),
  };
}

/** 16.1, however its caller came to it; what is further from a tenth stays as it is, to be refused. */
function toTenth(value: number): number {
  const tenth = Math.round(value * 10) / 10;
  return Math.abs(value - tenth) < 1e-7 ? tenth : value;
}

/** A time as RFC 3339 in UTC; undefined if there is none. */
export function toText(field: string, time: Date | undefined): string | undefined {
  return time === undefined ? undefined : readTime(field, time).toISOString();
}
