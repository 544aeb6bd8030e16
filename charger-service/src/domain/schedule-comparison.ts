import type { ScheduleReport } from "../db/charging-profile-tables.ts";
import { type CompositePeriod, convert, type Span } from "./composite-schedule.ts";

/** A time during which the charger's limit is not ours; undefined is that it sets none. */
export interface ScheduleDifference {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly limit: number;
  readonly reportedLimit: number | undefined;
}

/** Chargers round to one decimal (OCPP 1.6 §7.14). */
const ROUNDING = 0.1;
/** What lasts no longer comes of two clocks, and of the way between them, in s. */
const CLOCKS_SECONDS = 5;

/**
 * Where a charger sets another limit than we do, or none, during the time that it tells of. A limit of its own where we have none is what its
 * hardware can do.
 */
export function compareSchedules(ours: readonly CompositePeriod[], report: ScheduleReport, span: Span): ScheduleDifference[] {
  const { rateUnit: unit } = report;
  if (unit === undefined || report.periods.length === 0) return [];
  const begin = report.startTime === undefined ? 0 : Math.round((Date.parse(report.startTime) - span.startTime.getTime()) / 1000);
  const end = Math.min(span.durationSeconds, begin + (report.durationSeconds ?? span.durationSeconds));
  const theirs = report.periods.map((period) => ({
    startSeconds: begin + period.startSeconds,
    limit: convert(period.limit, period.numberPhases, unit, span.rateUnit, span.voltage),
    tolerance: Math.max(ROUNDING, convert(ROUNDING, period.numberPhases, unit, span.rateUnit, span.voltage)),
  }));
  const starts = [Math.max(0, begin), ...ours.map((one) => one.startSeconds), ...theirs.map((one) => one.startSeconds)];
  const seconds = [...new Set(starts)].filter((second) => second >= Math.max(0, begin) && second < end).sort((a, b) => a - b);
  const differences: ScheduleDifference[] = [];
  seconds.forEach((startSeconds, i) => {
    const limit = at(ours, startSeconds)?.limit;
    const reported = at(theirs, startSeconds);
    const isSame = reported !== undefined && limit !== undefined && Math.abs(limit - reported.limit) <= reported.tolerance + 1e-6;
    if (limit === undefined || isSame) return;
    add(differences, { startSeconds, endSeconds: seconds[i + 1] ?? end, limit, reportedLimit: reported?.limit });
  });
  return differences.filter(({ startSeconds, endSeconds }) => endSeconds - startSeconds > CLOCKS_SECONDS);
}

function at<P extends { readonly startSeconds: number }>(periods: readonly P[], second: number): P | undefined {
  return periods.findLast(({ startSeconds }) => startSeconds <= second);
}

/** One that goes on as the last one makes that longer. */
function add(differences: ScheduleDifference[], next: ScheduleDifference): void {
  const last = differences.at(-1);
  const goesOn = last?.endSeconds === next.startSeconds && last.limit === next.limit && last.reportedLimit === next.reportedLimit;
  if (last !== undefined && goesOn) differences[differences.length - 1] = { ...last, endSeconds: next.endSeconds };
  else differences.push(next);
}
