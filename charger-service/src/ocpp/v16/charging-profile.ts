import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { ProfileContent, ProfileKind, ProfilePurpose, Recurrency, ScheduleReport } from "../../db/charging-profile-tables.ts";
import { nearestStorable } from "../../db/integer.ts";
import type { NumberedProfile } from "../../domain/schedule-question.ts";
import { toTime } from "./time.ts";

/** A charging profile as 1.6 has it (OCPP 1.6 §7.8). */
export type ChargingProfile16 = Req<V16, "SetChargingProfile">["csChargingProfiles"];
type Schedule16 = ChargingProfile16["chargingSchedule"];

/** A table, read the other way around. */
function inverse<A extends string, B extends string>(table: Record<A, B>): Record<B, A> {
  return Object.fromEntries(Object.entries(table).map(([a, b]) => [b, a])) as Record<B, A>;
}

export const purposes16 = {
  CHARGER_MAX: "ChargePointMaxProfile",
  TRANSACTION_DEFAULT: "TxDefaultProfile",
  TRANSACTION: "TxProfile",
} as const satisfies Record<ProfilePurpose, ChargingProfile16["chargingProfilePurpose"]>;
export const purposes = inverse<ProfilePurpose, ChargingProfile16["chargingProfilePurpose"]>(purposes16);

const kinds16: Record<ProfileKind, ChargingProfile16["chargingProfileKind"]> = {
  ABSOLUTE: "Absolute",
  RECURRING: "Recurring",
  RELATIVE: "Relative",
};
const kinds = inverse(kinds16);

const recurrencies16: Record<Recurrency, NonNullable<ChargingProfile16["recurrencyKind"]>> = { DAILY: "Daily", WEEKLY: "Weekly" };
const recurrencies = inverse(recurrencies16);

/** A charging profile in the words of 1.6; without a transaction, for one that is to come. */
export function toChargingProfile16({ number, content }: NumberedProfile, transactionId?: number): ChargingProfile16 {
  const { recurrency, validFromTime, validToTime, schedule } = content;
  return {
    chargingProfileId: number,
    ...(transactionId === undefined ? {} : { transactionId }),
    stackLevel: content.stackLevel,
    chargingProfilePurpose: purposes16[content.purpose],
    chargingProfileKind: kinds16[content.kind],
    ...(recurrency === undefined ? {} : { recurrencyKind: recurrencies16[recurrency] }),
    ...(validFromTime === undefined ? {} : { validFrom: validFromTime }),
    ...(validToTime === undefined ? {} : { validTo: validToTime }),
    chargingSchedule: {
      ...(schedule.durationSeconds === undefined ? {} : { duration: schedule.durationSeconds }),
      ...(schedule.startTime === undefined ? {} : { startSchedule: schedule.startTime }),
      chargingRateUnit: schedule.rateUnit,
      chargingSchedulePeriod: schedule.periods.map(({ startSeconds, limit, numberPhases }) => ({
        startPeriod: startSeconds,
        limit,
        ...(numberPhases === undefined ? {} : { numberPhases }),
      })),
      ...(schedule.minChargingRate === undefined ? {} : { minChargingRate: schedule.minChargingRate }),
    },
  };
}

/** The same, the other way around. */
export function fromChargingProfile16(profile: ChargingProfile16): NumberedProfile {
  const { recurrencyKind, chargingSchedule: schedule } = profile;
  const content: ProfileContent = {
    purpose: purposes[profile.chargingProfilePurpose],
    stackLevel: profile.stackLevel,
    kind: kinds[profile.chargingProfileKind],
    recurrency: recurrencyKind && recurrencies[recurrencyKind],
    validFromTime: toText(profile.validFrom),
    validToTime: toText(profile.validTo),
    schedule: {
      startTime: toText(schedule.startSchedule),
      durationSeconds: toInteger(schedule.duration),
      rateUnit: schedule.chargingRateUnit,
      periods: toPeriods(schedule),
      minChargingRate: schedule.minChargingRate,
    },
  };
  return { number: profile.chargingProfileId, content };
}

/** What a charger reports of its composite schedule (§5.7, §6.21). */
export function toScheduleReport(response: Res<V16, "GetCompositeSchedule">): ScheduleReport {
  const { status, chargingSchedule: schedule } = response;
  return {
    status,
    startTime: toText(schedule?.startSchedule ?? response.scheduleStart),
    durationSeconds: toInteger(schedule?.duration),
    rateUnit: schedule?.chargingRateUnit,
    periods: schedule === undefined ? [] : toPeriods(schedule),
  };
}

function toPeriods({ chargingSchedulePeriod: periods }: Schedule16) {
  return periods.map(({ startPeriod, limit, numberPhases }) => ({
    startSeconds: nearestStorable(startPeriod),
    limit,
    numberPhases: toInteger(numberPhases),
  }));
}

/** The schemas have no bounds, and whoever lists these does. */
function toInteger(number: number | undefined): number | undefined {
  return number === undefined ? undefined : nearestStorable(number);
}

function toText(time: string | undefined): string | undefined {
  return time === undefined ? undefined : toTime(time).toISOString();
}
