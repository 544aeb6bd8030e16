/** Calls off what was to come. Nothing happens if it has come already. */
export type Cancel = () => void;

/** The time and its timers, passed in so that tests may hold it still and move it. */
export interface Time {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once, `ms` milliseconds from now. */
  after(ms: number, run: () => void): Cancel;
}

/** What a timer of Node can hold, about 25 days. A longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemTime: Time = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};
