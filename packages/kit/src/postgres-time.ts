import { types } from "pg";

const { TIMESTAMPTZ } = types.builtins;
const readAny: (text: string) => unknown = types.getTypeParser(TIMESTAMPTZ);

const ZERO = 48;
/** `2026-11-22 10:20:30.123456+00`: where the fraction begins, and its digits of a millisecond. */
const FRACTION_AT = 20;

/** The number that `length` digits from `at` make; NaN or nonsense if they are none. */
function digits(text: string, at: number, length: number): number {
  let number = 0;
  for (let i = at; i < at + length; i++) number = number * 10 + text.charCodeAt(i) - ZERO;
  return number;
}

/**
 * Reads a timestamptz as a session in UTC writes it: a list of things with their times is a good part dates, and the parser of `pg` takes
 * several times as long. What is written in another way (years before Christ or after 9999, infinity, another zone) that one reads.
 */
export function readTimestamptz(text: string): unknown {
  const isOrdinary = text.length <= 29 && text.endsWith("+00") && text[4] === "-" && text[10] === " ";
  if (!isOrdinary) return readAny(text);
  // Postgres leaves out zeros at the end of a fraction.
  const written = Math.min(3, Math.max(0, text.length - 3 - FRACTION_AT));
  const ms = digits(text, FRACTION_AT, written) * 10 ** (3 - written);
  const time = new Date(0);
  // Not Date.UTC: that takes the years 0 to 99 for those of the twentieth century.
  time.setUTCFullYear(digits(text, 0, 4), digits(text, 5, 2) - 1, digits(text, 8, 2));
  time.setUTCHours(digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2), ms);
  return time;
}
