const WITHOUT_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?$/i;
const LOOSE = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?([.,]\d+)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/** A date and time that names no zone, in UTC, as 1.6 recommends (section 3.14). Undefined if it names one, or is something else. */
export function withZone(text: string): string | undefined {
  return WITHOUT_ZONE.test(text) ? `${text}Z` : undefined;
}

/** The same date and time in the notation of RFC 3339, but for a zone that is missing. Undefined if it has that notation, or cannot be read. */
export function looseTime(text: string): string | undefined {
  const [, day, minute, second = ":00", fraction = "", zone = ""] = LOOSE.exec(text) ?? [];
  if (day === undefined) return undefined;
  const [sign, hours, minutes] = [zone.slice(0, 1), zone.slice(1, 3), zone.slice(3).replace(":", "") || "00"];
  const strict = `${day}T${minute}${second}${fraction.replace(",", ".")}${/^[+-]/.test(sign) ? `${sign}${hours}:${minutes}` : zone.toUpperCase()}`;
  return strict === text ? undefined : strict;
}
