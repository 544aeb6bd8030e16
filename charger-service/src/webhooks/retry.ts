/** The wait after the first failure, in ms; it doubles with each further one. */
const FIRST_MS = 5_000;
/** No wait is longer, in ms, also none that a receiver asks for. */
const LONGEST_MS = 3_600_000;

/** How long to wait after so many failures, in ms. Up to a quarter is left to chance, so that what failed at once does not come back at once. */
export function waitAfter(failures: number): number {
  return Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS) * (1 - Math.random() / 4);
}

/** Until when a receiver asks to be left alone: seconds from `now` on, or a date (RFC 9110, section 10.2.3). Undefined if it says nothing that counts. */
export function readRetryAfter(header: string | undefined, now: Date): Date | undefined {
  if (header === undefined) return undefined;
  const time = /^\d{1,9}$/.test(header) ? now.getTime() + Number(header) * 1_000 : Date.parse(header);
  return time > now.getTime() ? new Date(Math.min(time, now.getTime() + LONGEST_MS)) : undefined;
}
