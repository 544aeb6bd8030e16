import type { ProfileContent, RateUnit, Recurrency, SchedulePeriod } from "../db/charging-profile-tables.ts";

// What the charging profiles at a place come to (OCPP 1.6 §3.13). Only UTC counts: a day has 86,400 seconds, whatever local clocks do.

/** A charging profile and where it is installed; connector 0 is the charger as a whole or, of a default, each connector. */
export interface InstalledProfile {
  readonly connectorId: number;
  readonly content: ProfileContent;
}

/** From when, for how long and in what unit to reckon. */
export interface Span {
  readonly startTime: Date;
  readonly durationSeconds: number;
  readonly rateUnit: RateUnit;
  /** Between a phase and neutral, in V: A are W by volts, amperes and phases. */
  readonly voltage: number;
  /** From when relative profiles count; undefined is startTime, as if a transaction began then. */
  readonly transactionStart: Date | undefined;
}

/** A limit from a second of its span to that of the next; undefined where nothing sets one. */
export interface CompositePeriod {
  readonly startSeconds: number;
  readonly limit: number | undefined;
  /** Undefined if what sets the limit does not say. */
  readonly numberPhases: number | undefined;
}

interface Limit {
  readonly limit: number;
  readonly numberPhases: number | undefined;
}

const RECURRENCE_MS: Record<Recurrency, number> = { DAILY: 86_400_000, WEEKLY: 604_800_000 };
/** What a limit counts on where it does not say (§7.14). */
const PHASES = 3;

/**
 * The composite schedule of a connector, 0 for the charger as a whole: periods in order, the first at 0, no two alike one after the other.
 * At each moment the highest stack level that says something counts, of the transaction's profiles, else of the default ones; and no more than
 * those for the charger as a whole allow. One that says nothing at a moment, being over or not begun, leaves that to lower levels.
 */
export function composeSchedule(profiles: readonly InstalledProfile[], connectorId: number, span: Span): CompositePeriod[] {
  const layers = layersOf(profiles, connectorId);
  const start = span.startTime.getTime();
  const seconds = new Set([0]);
  for (const content of layers.flat()) {
    for (const time of changesOf(content, span)) {
      const second = Math.ceil((time - start) / 1000);
      if (second > 0 && second < span.durationSeconds) seconds.add(second);
    }
  }
  const periods: CompositePeriod[] = [];
  for (const startSeconds of [...seconds].sort((a, b) => a - b)) {
    const { limit, numberPhases } = limitAt(layers, start + startSeconds * 1000, span) ?? {};
    const before = periods.at(-1);
    if (before === undefined || before.limit !== limit || before.numberPhases !== numberPhases) {
      periods.push({ startSeconds, limit, numberPhases });
    }
  }
  return periods;
}

/** Those for the charger, for the transaction, and by default, each with the one that counts first at its head. */
type Layers = readonly [chargerMax: ProfileContent[], transaction: ProfileContent[], transactionDefault: ProfileContent[]];

function layersOf(profiles: readonly InstalledProfile[], connectorId: number): Layers {
  const of = (purpose: ProfileContent["purpose"], at: number): ProfileContent[] =>
    profiles.filter((one) => one.content.purpose === purpose && one.connectorId === at).map(({ content }) => content);
  const inOrder = (contents: ProfileContent[]): ProfileContent[] => contents.toSorted((a, b) => b.stackLevel - a.stackLevel);
  const chargerMax = inOrder(of("CHARGER_MAX", 0));
  if (connectorId === 0) return [chargerMax, [], []];
  // A default of the connector's own takes the place of the one for all connectors on the same level (§5.16.3).
  const own = of("TRANSACTION_DEFAULT", connectorId);
  const general = of("TRANSACTION_DEFAULT", 0).filter(({ stackLevel }) => own.every((one) => one.stackLevel !== stackLevel));
  return [chargerMax, inOrder(of("TRANSACTION", connectorId)), inOrder([...own, ...general])];
}

function limitAt([chargerMax, transaction, transactionDefault]: Layers, time: number, span: Span): Limit | undefined {
  const prevailing = (contents: readonly ProfileContent[]): Limit | undefined => {
    for (const content of contents) {
      const period = periodAt(content, time, span);
      if (period !== undefined) return toUnit(period, content.schedule.rateUnit, span);
    }
    return undefined;
  };
  const most = prevailing(chargerMax);
  const own = prevailing(transaction) ?? prevailing(transactionDefault);
  if (most === undefined || own === undefined) return own ?? most;
  return own.limit <= most.limit ? own : most;
}

/** What a profile says at a moment; undefined if nothing. */
function periodAt({ schedule, ...content }: ProfileContent, time: number, span: Span): SchedulePeriod | undefined {
  if (content.validFromTime !== undefined && time < Date.parse(content.validFromTime)) return undefined;
  if (content.validToTime !== undefined && time >= Date.parse(content.validToTime)) return undefined;
  const first = originOf({ schedule, ...content }, span);
  const recurrence = recurrenceOf(content);
  const origin = recurrence === undefined || time < first ? first : first + Math.floor((time - first) / recurrence) * recurrence;
  const offset = (time - origin) / 1000;
  if (offset < 0 || (schedule.durationSeconds !== undefined && offset >= schedule.durationSeconds)) return undefined;
  return schedule.periods.findLast(({ startSeconds }) => startSeconds <= offset);
}

/** From when its schedule counts, for the first time. */
function originOf({ kind, schedule }: ProfileContent, { startTime, transactionStart }: Span): number {
  // Without a time an absolute one counts from the start of the transaction, too (§7.13).
  return kind === "RELATIVE" || schedule.startTime === undefined
    ? (transactionStart ?? startTime).getTime()
    : Date.parse(schedule.startTime);
}

/** After how many ms a profile begins again; undefined if it does not. */
function recurrenceOf({ kind, recurrency }: Omit<ProfileContent, "schedule">): number | undefined {
  return kind === "RECURRING" && recurrency !== undefined ? RECURRENCE_MS[recurrency] : undefined;
}

/** Every moment of the span at which what a profile says may change; some before and after it, too. */
function changesOf(content: ProfileContent, span: Span): number[] {
  const { validFromTime, validToTime, schedule } = content;
  const start = span.startTime.getTime();
  const end = start + span.durationSeconds * 1000;
  const times = [validFromTime, validToTime].flatMap((text) => (text === undefined ? [] : [Date.parse(text)]));
  const first = originOf(content, span);
  const recurrence = recurrenceOf(content);
  const before = recurrence === undefined ? 0 : Math.max(0, Math.floor((start - first) / recurrence));
  for (let origin = first + before * (recurrence ?? 0); origin < end; origin += recurrence ?? Number.POSITIVE_INFINITY) {
    for (const { startSeconds } of schedule.periods) times.push(origin + startSeconds * 1000);
    if (schedule.durationSeconds !== undefined) times.push(origin + schedule.durationSeconds * 1000);
  }
  return times;
}

function toUnit({ limit, numberPhases }: SchedulePeriod, unit: RateUnit, { rateUnit, voltage }: Span): Limit {
  return { limit: convert(limit, numberPhases, unit, rateUnit, voltage), numberPhases };
}

/** A limit in another unit, to the thousandth. Without a number of phases it counts on three. */
export function convert(limit: number, numberPhases: number | undefined, from: RateUnit, to: RateUnit, voltage: number): number {
  if (from === to) return limit;
  const watts = voltage * (numberPhases ?? PHASES);
  return Math.round((to === "W" ? limit * watts : limit / watts) * 1000) / 1000;
}
