/** How long a mail is tried for, in ms. A mail server that is away longer has an operator who can retry by hand. */
const GIVE_UP_MS = 24 * 3_600_000;
/** The wait after the first attempt, in ms; each next one is twice as long. */
const FIRST_DELAY_MS = 10_000;
/** The longest wait, in ms: when the mail server comes back after a long time, all mail is out this much later. */
const DELAY_MAX_MS = 15 * 60_000;
/** A wait is longer or shorter by up to this part of it, so that what failed together does not come back together. */
const JITTER = 0.2;

/** The times of a message that is to be sent at once. */
export function queuedAt(now: Date): { next_attempt_time: Date; give_up_time: Date } {
  return { next_attempt_time: now, give_up_time: new Date(now.getTime() + GIVE_UP_MS) };
}

/** When to try again after so many attempts; undefined if that is too late. */
export function nextAttemptTime(attempts: number, giveUpTime: Date, now: Date): Date | undefined {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), DELAY_MAX_MS);
  const time = new Date(now.getTime() + delay * (1 - JITTER + 2 * JITTER * Math.random()));
  return time < giveUpTime ? time : undefined;
}
