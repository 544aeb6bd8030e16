import { numberOf } from "./configuration.ts";
import type { Handled, Request, Response } from "./messages.ts";
import { PHASE_V } from "./power-curve.ts";
import { type Charger, type Connector, connectorOf } from "./state.ts";
import { refresh } from "./status.ts";

export type Profile = Request<"SetChargingProfile">["csChargingProfiles"];
type Schedule = NonNullable<Response<"GetCompositeSchedule">["chargingSchedule"]>;
type Unit = Schedule["chargingRateUnit"];

/** A profile, and where it counts; connector 0 is all of them. */
export interface Installed {
  readonly connectorId: number;
  readonly profile: Profile;
}

/** A limit in W, with the phases that it counts for. */
interface Limit {
  readonly watts: number;
  readonly phases: number;
}

const DAY_S = 86_400;
const PHASES = 3;

/** OCPP 1.6 sections 3.13 and 5.16. A profile takes the place of one of its number, and of one of its purpose, level and connector. */
export function setChargingProfile(charger: Charger, request: Request<"SetChargingProfile">): Handled<"SetChargingProfile"> {
  const { connectorId, csChargingProfiles: profile } = request;
  if (!isFitting(charger, connectorId, profile)) return { answer: { status: "Rejected" } };
  const isReplaced = (one: Installed): boolean =>
    one.profile.chargingProfileId === profile.chargingProfileId ||
    (one.connectorId === connectorId &&
      one.profile.chargingProfilePurpose === profile.chargingProfilePurpose &&
      one.profile.stackLevel === profile.stackLevel);
  const kept = charger.profiles.filter((one) => !isReplaced(one));
  if (kept.length >= numberOf(charger, "MaxChargingProfilesInstalled")) return { answer: { status: "Rejected" } };
  charger.profiles = [...kept, { connectorId, profile }];
  return { answer: { status: "Accepted" }, after: () => limitDraws(charger) };
}

/** Whether it may be kept: of a place, a level and a length that this charger has. */
function isFitting(charger: Charger, connectorId: number, profile: Profile): boolean {
  const { chargingProfilePurpose: purpose, stackLevel, transactionId, chargingSchedule } = profile;
  const connector = connectorOf(charger, connectorId);
  if (connectorId !== 0 && connector === undefined) return false;
  if (purpose === "ChargePointMaxProfile" && connectorId !== 0) return false;
  if (purpose === "TxProfile") {
    if (connector?.transaction === undefined) return false;
    if (transactionId !== undefined && transactionId !== connector.transaction.id) return false;
  }
  const periods = chargingSchedule.chargingSchedulePeriod;
  return (
    stackLevel <= numberOf(charger, "ChargeProfileMaxStackLevel") &&
    periods.length <= numberOf(charger, "ChargingScheduleMaxPeriods") &&
    periods[0]?.startPeriod === 0
  );
}

/** Section 5.3. Without any criterion, all. */
export function clearChargingProfile(charger: Charger, request: Request<"ClearChargingProfile">): Handled<"ClearChargingProfile"> {
  const { id, connectorId, chargingProfilePurpose: purpose, stackLevel } = request;
  const matches = ({ connectorId: place, profile }: Installed): boolean =>
    id !== undefined
      ? profile.chargingProfileId === id
      : (connectorId === undefined || place === connectorId) &&
        (purpose === undefined || profile.chargingProfilePurpose === purpose) &&
        (stackLevel === undefined || profile.stackLevel === stackLevel);
  const kept = charger.profiles.filter((one) => !matches(one));
  if (kept.length === charger.profiles.length) return { answer: { status: "Unknown" } };
  charger.profiles = kept;
  return { answer: { status: "Accepted" }, after: () => limitDraws(charger) };
}

/** Section 5.7: what all profiles come to from now on. Where nothing is said, it is what the outlet can do. */
export function getCompositeSchedule(charger: Charger, request: Request<"GetCompositeSchedule">): Handled<"GetCompositeSchedule"> {
  const { connectorId, duration, chargingRateUnit = "A" } = request;
  const connector = connectorOf(charger, connectorId);
  if (connectorId !== 0 && connector === undefined) return { answer: { status: "Rejected" } };
  const start = charger.time.now();
  const chargingSchedulePeriod: Schedule["chargingSchedulePeriod"] = [];
  for (const second of changes(charger, start, duration)) {
    const { watts, phases } = limitAt(charger, connectorId, start + second * 1000);
    const limit = inUnit(watts, phases, chargingRateUnit);
    const before = chargingSchedulePeriod.at(-1);
    if (before?.limit === limit && before.numberPhases === phases) continue;
    chargingSchedulePeriod.push({ startPeriod: second, limit, numberPhases: phases });
  }
  const scheduleStart = new Date(start).toISOString();
  return {
    answer: { status: "Accepted", connectorId, scheduleStart, chargingSchedule: { duration, chargingRateUnit, chargingSchedulePeriod } },
  };
}

/** What charges draws no more than the profiles allow now. */
export function limitDraws(charger: Charger): void {
  for (const connector of charger.connectors) {
    limitDraw(charger, connector);
    refresh(charger, connector);
  }
}

/** The same for one connector, which is not reported here. */
export function limitDraw(charger: Charger, { id, draw }: Connector): void {
  if (draw !== undefined) draw.allowedW = charger.profiles.length === 0 ? Infinity : limitAt(charger, id, charger.time.now()).watts;
}

/** A transaction begins: it gets the profile that came with its remote start. */
export function takeNextProfile(charger: Charger, connector: Connector): void {
  const { id: connectorId, nextProfile: csChargingProfiles } = connector;
  connector.nextProfile = undefined;
  if (csChargingProfiles !== undefined) setChargingProfile(charger, { connectorId, csChargingProfiles });
  limitDraw(charger, connector);
}

/** Profiles for a transaction end with it. */
export function forgetTransactionProfiles(charger: Charger, { id }: Connector): void {
  charger.profiles = charger.profiles.filter(
    ({ connectorId, profile }) => connectorId !== id || profile.chargingProfilePurpose !== "TxProfile",
  );
}

/** The least of what the charger, and the transaction or its default, may have at this time (section 3.13.2). */
function limitAt(charger: Charger, connectorId: number, time: number): Limit {
  const outlets = charger.model.outlets.filter((_outlet, i) => connectorId === 0 || i + 1 === connectorId);
  const most = outlets.reduce((sum, { powerMaxW }) => sum + powerMaxW, 0);
  const of = (purpose: Profile["chargingProfilePurpose"]): Limit | undefined => {
    const candidates = charger.profiles
      .filter((one) => one.profile.chargingProfilePurpose === purpose && (one.connectorId === 0 || one.connectorId === connectorId))
      // One of the connector's own counts before one of all.
      .toSorted((a, b) => b.profile.stackLevel - a.profile.stackLevel || b.connectorId - a.connectorId);
    for (const { profile } of candidates) {
      const limit = limitOf(charger, connectorId, profile, time);
      if (limit !== undefined) return limit;
    }
    return undefined;
  };
  const limits = [of("ChargePointMaxProfile"), of("TxProfile") ?? of("TxDefaultProfile")].filter((limit) => limit !== undefined);
  return limits.reduce((least, limit) => (limit.watts < least.watts ? limit : least), { watts: most, phases: PHASES });
}

/** What one profile says of this time; undefined if nothing. */
function limitOf(charger: Charger, connectorId: number, profile: Profile, time: number): Limit | undefined {
  const { validFrom, validTo, chargingSchedule } = profile;
  const { chargingSchedulePeriod: periods, chargingRateUnit, duration = Infinity } = chargingSchedule;
  if (validFrom !== undefined && time < Date.parse(validFrom)) return undefined;
  if (validTo !== undefined && time >= Date.parse(validTo)) return undefined;
  const begin = beginOf(charger, connectorId, profile, time);
  const second = begin === undefined ? -1 : (time - begin) / 1000;
  if (second < 0 || second >= duration) return undefined;
  const period = periods.findLast(({ startPeriod }) => startPeriod <= second);
  if (period === undefined) return undefined;
  const phases = period.numberPhases ?? PHASES;
  return { watts: chargingRateUnit === "W" ? period.limit : period.limit * phases * PHASE_V, phases };
}

/** When the schedule that counts at `time` began. */
function beginOf(charger: Charger, connectorId: number, profile: Profile, time: number): number | undefined {
  const { chargingProfileKind: kind, recurrencyKind, chargingSchedule } = profile;
  const transaction = connectorOf(charger, connectorId)?.transaction;
  if (kind === "Relative") return transaction?.startTime ?? charger.time.now();
  if (chargingSchedule.startSchedule === undefined) return transaction?.startTime;
  const start = Date.parse(chargingSchedule.startSchedule);
  if (kind === "Absolute") return start;
  const every = (recurrencyKind === "Weekly" ? 7 : 1) * DAY_S * 1000;
  return start + Math.floor((time - start) / every) * every;
}

/** At which seconds of the next `duration` something may change, from 0 on. */
function changes(charger: Charger, start: number, duration: number): number[] {
  const seconds = new Set([0]);
  const add = (time: number): void => {
    const second = Math.ceil((time - start) / 1000);
    if (second > 0 && second < duration) seconds.add(second);
  };
  for (const { connectorId, profile } of charger.profiles) {
    const { chargingSchedule, validFrom, validTo } = profile;
    for (const moment of [validFrom, validTo]) if (moment !== undefined) add(Date.parse(moment));
    // Each time that it begins anew within the duration, and the one before.
    for (let time = start; time < start + (duration + DAY_S) * 1000; time += DAY_S * 1000) {
      const begin = beginOf(charger, connectorId, profile, time);
      if (begin === undefined) continue;
      add(begin);
      for (const { startPeriod } of chargingSchedule.chargingSchedulePeriod) add(begin + startPeriod * 1000);
      if (chargingSchedule.duration !== undefined) add(begin + chargingSchedule.duration * 1000);
    }
  }
  return [...seconds].toSorted((a, b) => a - b);
}

/** To a tenth, as OCPP has limits. */
function inUnit(watts: number, phases: number, unit: Unit): number {
  return Math.round((unit === "W" ? watts : watts / phases / PHASE_V) * 10) / 10;
}
