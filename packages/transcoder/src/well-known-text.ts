/** An instant or a span as protobuf keeps it: whole seconds, and billionths of one. */
export interface SecondsAndNanos {
  readonly seconds: number;
  readonly nanos: number;
}

/** 0001-01-01T00:00:00Z and the last second of the year 9999. */
const TIMESTAMP_SECONDS = { min: -62_135_596_800, max: 253_402_300_799 };
/** About 10,000 years. */
const DURATION_SECONDS_MAX = 315_576_000_000;
const DAY = 86_400;

const span = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/;
const camelPath = /^[a-z][a-zA-Z0-9]*(?:\.[a-z][a-zA-Z0-9]*)*$/;

/**
 * A google.protobuf.Timestamp from RFC 3339; undefined if it is none, a day that no calendar has, or outside the years 1 to 9999. Nearly
 * every message has one of these, so it is taken apart by hand: a regular expression costs four times as much.
 */
export function parseTimestamp(text: string): SecondsAndNanos | undefined {
  const separators = text[4] === "-" && text[7] === "-" && text[10] === "T" && text[13] === ":" && text[16] === ":";
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const time = timeOfDay(digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19));
  if (!separators || !(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)) || time === undefined)
    return undefined;
  let at = 19;
  if (text[at] === ".") while (isDigit(text.charCodeAt(++at))) if (at > 28) return undefined;
  const offset = offsetOf(text, at);
  if (offset === undefined || at === 20) return undefined;
  const seconds = daysBefore(year, month, day) * DAY + time - offset;
  if (seconds < TIMESTAMP_SECONDS.min || seconds > TIMESTAMP_SECONDS.max) return undefined;
  return { seconds, nanos: at === 19 ? 0 : digits(text, 20, at) * 10 ** (29 - at) };
}

/** RFC 3339 in UTC with 0, 3, 6 or 9 digits of a second; undefined if out of range. */
export function formatTimestamp({ seconds, nanos }: SecondsAndNanos): string | undefined {
  if (seconds < TIMESTAMP_SECONDS.min || seconds > TIMESTAMP_SECONDS.max || nanos < 0 || nanos > 999_999_999) return undefined;
  const days = Math.floor(seconds / DAY);
  const time = seconds - days * DAY;
  const hour = Math.floor(time / 3600);
  const minute = Math.floor(time / 60) % 60;
  return `${dateOf(days)}T${pair(hour)}:${pair(minute)}:${pair(time % 60)}${fraction(nanos)}Z`;
}

/** A google.protobuf.Duration from decimal seconds and "s"; undefined if it is none or longer than protobuf allows. */
export function parseDuration(text: string): SecondsAndNanos | undefined {
  const [whole, sign, digits, decimals] = span.exec(text) ?? [];
  if (whole === undefined || Number(digits) > DURATION_SECONDS_MAX) return undefined;
  const nanos = nanosOf(decimals);
  // "+ 0" makes 0 of -0.
  return sign === "-" ? { seconds: -Number(digits) + 0, nanos: -nanos + 0 } : { seconds: Number(digits), nanos };
}

/** Decimal seconds and "s"; undefined if out of range or if seconds and nanos differ in sign. */
export function formatDuration({ seconds, nanos }: SecondsAndNanos): string | undefined {
  const opposed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
  if (opposed || Math.abs(seconds) > DURATION_SECONDS_MAX || Math.abs(nanos) > 999_999_999) return undefined;
  return `${seconds < 0 || nanos < 0 ? "-" : ""}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

/** The paths of a google.protobuf.FieldMask, in proto's spelling, from its comma-separated JSON; undefined if it is none. */
export function parseFieldMask(text: string): string[] | undefined {
  if (text === "") return [];
  const paths = text.split(",");
  if (!paths.every((path) => camelPath.test(path))) return undefined;
  return paths.map((path) => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** The JSON of a field mask; undefined if a path would not come back from it as it was. */
export function formatFieldMask(paths: readonly string[]): string | undefined {
  const camel = paths.map((path) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  const text = camel.join(",");
  return parseFieldMask(text)?.join(",") === paths.join(",") ? text : undefined;
}

function nanosOf(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.padEnd(9, "0"));
}

function fraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  if (nanos % 1_000_000 === 0) return `.${digits.slice(0, 3)}`;
  return `.${nanos % 1000 === 0 ? digits.slice(0, 6) : digits}`;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** Seconds since midnight; undefined if no clock shows that. */
function timeOfDay(hour: number, minute: number, second: number): number | undefined {
  return hour <= 23 && minute <= 59 && second <= 59 ? hour * 3600 + minute * 60 + second : undefined;
}

/** Seconds that the local time at the end of `text` is ahead of UTC; undefined if that says something else. */
function offsetOf(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === "Z") return text.length === at + 1 ? 0 : undefined;
  if ((sign !== "+" && sign !== "-") || text[at + 3] !== ":" || text.length !== at + 6) return undefined;
  const offset = timeOfDay(digits(text, at + 1, at + 3), digits(text, at + 4, at + 6), 0);
  return sign === "-" && offset !== undefined ? -offset : offset;
}

/** The number that the digits from `from` to before `to` stand for; NaN if not all of them are digits. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return Number.NaN;
    value = value * 10 + code - 0x30;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const pairs = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, "0"));

function pair(value: number): string {
  return pairs[value] ?? "";
}

/** Days from 0000-03-01 to 1970-01-01: a year that begins in March has its leap day at the end, which makes the rest arithmetic. */
const EPOCH = 719_468;
const DAYS_IN_400_YEARS = 146_097;

/** Days from 1970-01-01 to a day of the Gregorian calendar, which `Date.UTC` does not give for the years 0 to 99. */
function daysBefore(year: number, month: number, day: number): number {
  const since = month > 2 ? year : year - 1;
  const days = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return 365 * since + Math.floor(since / 4) - Math.floor(since / 100) + Math.floor(since / 400) + days - EPOCH;
}

/** The other way round, as YYYY-MM-DD. */
function dateOf(days: number): string {
  const since = days + EPOCH;
  const era = Math.floor(since / DAYS_IN_400_YEARS);
  const inEra = since - era * DAYS_IN_400_YEARS;
  const years = Math.floor((inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36_524) - Math.floor(inEra / 146_096)) / 365);
  const inYear = inEra - (365 * years + Math.floor(years / 4) - Math.floor(years / 100));
  const month = Math.floor((5 * inYear + 2) / 153);
  const day = inYear - Math.floor((153 * month + 2) / 5) + 1;
  const year = years + era * 400 + (month < 10 ? 0 : 1);
  return `${pair(Math.floor(year / 100))}${pair(year % 100)}-${pair(month < 10 ? month + 3 : month - 9)}-${pair(day)}`;
}
