import type { ProfileContent, ProfileKind, ProfilePurpose, Recurrency, SchedulePeriod } from "../src/db/charging-profile-tables.ts";
import type { InstalledProfile, Span } from "../src/domain/composite-schedule.ts";

// Charging profiles of all kinds, and what they come to by a way of reckoning that is slow and plain.

/** About when they are. */
export const NOON = new Date("2027-03-27T12:00:00.000Z");
export const DAY = 86_400;

/** A charging profile, relative unless it has a start; periods are [start in s, limit, phases]. */
export const profile = (
  purpose: ProfilePurpose,
  fields: Partial<Omit<ProfileContent, "schedule">> & {
    at?: number | undefined;
    start?: string;
    duration?: number;
    limits: number[][];
    unit?: "W" | "A";
  },
): InstalledProfile => {
  const { at = purpose === "CHARGER_MAX" ? 0 : 1, start, duration, limits, unit = "A", ...rest } = fields;
  const periods = limits.map(([startSeconds = 0, limit = 0, numberPhases]): SchedulePeriod => ({ startSeconds, limit, numberPhases }));
  const schedule = { startTime: start, durationSeconds: duration, rateUnit: unit, periods };
  return { connectorId: at, content: { purpose, stackLevel: 0, kind: start === undefined ? "RELATIVE" : "ABSOLUTE", ...rest, schedule } };
};
/** Numbers that look random and are the same each time. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Any profile that is right in itself. */
export function anyProfile(random: (below: number) => number): InstalledProfile {
  const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
  const purpose = pick(["CHARGER_MAX", "TRANSACTION_DEFAULT", "TRANSACTION"] as const);
  const kind = pick<ProfileKind>(purpose === "CHARGER_MAX" ? ["ABSOLUTE", "RECURRING"] : ["ABSOLUTE", "RECURRING", "RELATIVE"]);
  const around = (seconds: number) => new Date(NOON.getTime() + (random(2 * seconds) - seconds) * 1000).toISOString();
  const starts = [0, ...Array.from({ length: random(4) }, () => 1 + random(DAY))].sort((a, b) => a - b);
  return profile(purpose, {
    at: purpose === "TRANSACTION_DEFAULT" ? random(2) : undefined,
    stackLevel: random(3),
    kind,
    ...(kind === "RECURRING" ? { recurrency: pick<Recurrency>(["DAILY", "WEEKLY"]) } : {}),
    ...(kind === "RELATIVE" ? {} : { start: around(10 * DAY) }),
    ...(random(3) === 0 ? { duration: 1 + random(DAY) } : {}),
    ...(random(4) === 0 ? { validFromTime: around(DAY) } : {}),
    ...(random(4) === 0 ? { validToTime: around(DAY) } : {}),
    limits: [...new Set(starts)].map((start) => [start, random(40), pick([undefined, 1, 3])] as number[]),
  });
}

const isValid = ({ validFromTime, validToTime }: ProfileContent, time: number): boolean =>
  (validFromTime === undefined || Date.parse(validFromTime) <= time) && (validToTime === undefined || time < Date.parse(validToTime));

/** The last time before `time` from which a profile counts, found by going there from the first. */
function lastOrigin({ kind, recurrency, schedule }: ProfileContent, time: number, { transactionStart, startTime }: Span): number {
  if (kind === "RELATIVE") return (transactionStart ?? startTime).getTime();
  const step = (recurrency === "DAILY" ? 1 : 7) * DAY * 1000;
  let origin = Date.parse(schedule.startTime ?? "");
  while (kind === "RECURRING" && origin + step <= time) origin += step;
  return origin;
}

function limitOf(content: ProfileContent, time: number, span: Span): number | undefined {
  const { durationSeconds, periods } = content.schedule;
  const origin = lastOrigin(content, time, span);
  if (!isValid(content, time) || (durationSeconds !== undefined && time >= origin + durationSeconds * 1000)) return undefined;
  return periods.filter(({ startSeconds }) => time >= origin + startSeconds * 1000).at(-1)?.limit;
}

/** The limit of a connector at one second, by walking through every time that each profile counts from. */
export function limitByWalking(profiles: readonly InstalledProfile[], connectorId: number, second: number, span: Span): number | undefined {
  const time = span.startTime.getTime() + second * 1000;
  const best = (of: readonly InstalledProfile[]): number | undefined =>
    [2, 1, 0]
      .flatMap((level) => of.filter(({ content }) => content.stackLevel === level))
      .map(({ content }) => limitOf(content, time, span))
      .find((limit) => limit !== undefined);
  const at = (purpose: ProfilePurpose, place: number) =>
    profiles.filter((one) => one.content.purpose === purpose && one.connectorId === place);
  const own = at("TRANSACTION_DEFAULT", connectorId);
  const general = at("TRANSACTION_DEFAULT", 0).filter((one) => !own.some((other) => other.content.stackLevel === one.content.stackLevel));
  const most = best(at("CHARGER_MAX", 0));
  const mine = best(at("TRANSACTION", connectorId)) ?? best([...own, ...general]);
  return most === undefined || mine === undefined ? (mine ?? most) : Math.min(mine, most);
}
