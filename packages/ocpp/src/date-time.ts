/** What both have in common. The length of the month and leap seconds are checked apart. */
const UP_TO_SECONDS = String.raw`^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)`;

/** RFC 3339 section 5.6. */
const RFC_3339 = new RegExp(String.raw`${UP_TO_SECONDS}(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`);

/** The same, and how else ISO 8601 writes it: a comma before the fraction, `+0200`, `+02`. */
const ISO_8601 = new RegExp(String.raw`${UP_TO_SECONDS}(?:[.,]\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)$`);

const PARTS = /^(.{10}).(.{6})(.{2})(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d)?)$/;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether this is a date and time of OCPP 2.0.1, which asks for RFC 3339 (part 2, primitive data types). Any number of fraction digits. */
export function isRfc3339(text: string): boolean {
  return RFC_3339.test(text) && isOnCalendar(text);
}

/**
 * Whether this is a date and time of OCPP 1.6, which asks for ISO 8601 (section 3.15). Its JSON schemas say `date-time`, which is
 * narrower; chargers in the field follow the text and write `+02` or `+0200`. Without a zone nobody knows which moment is meant, and the
 * schema asks for one.
 */
export function isIso8601(text: string): boolean {
  return ISO_8601.test(text) && isOnCalendar(text);
}

/**
 * The moment that a date and time of either version means, to the millisecond; a leap second is the second after it. Use this and not
 * `new Date`, which does not read all of them.
 *
 * RangeError if it is none: the text is to be checked before.
 */
export function toDate(text: string): Date {
  const parts = PARTS.exec(text);
  if (parts === null || !isIso8601(text)) throw new RangeError("not a date and time");
  const [, day, minute, second, fraction = "", sign, hours, minutes = "0"] = parts;
  const leap = second === "60";
  const utc = Date.parse(`${day}T${minute}${leap ? "59" : second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`) + (leap ? 1000 : 0);
  const offset = sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(sign === "-" ? utc + offset : utc - offset);
}

function isOnCalendar(text: string): boolean {
  // The 29th to the 31st, and second 60, are the only ones that the patterns cannot tell.
  const day = Number(text.slice(8, 10));
  if (day > 28 && day > daysInMonth(Number(text.slice(0, 4)), Number(text.slice(5, 7)))) return false;
  return text[17] !== "6" || isLeapSecond(text);
}

function daysInMonth(year: number, month: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeapYear ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** Leap seconds are added at the end of a day in UTC. */
function isLeapSecond(text: string): boolean {
  const before = toDate(`${text.slice(0, 17)}59${text.slice(19)}`);
  return before.getUTCHours() === 23 && before.getUTCMinutes() === 59;
}
