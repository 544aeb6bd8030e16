import type { Time } from "../src/time.ts";

/** A time that stands still until it is moved. */
export interface ManualTime extends Time {
  /** Moves it on, running what comes due in its order, each at its own moment. Before and after each, waits for `settled`. */
  advance(ms: number, settled?: () => Promise<void>): Promise<void>;
  /** How many timers are set. */
  timers(): number;
}

export function manualTime(start = Date.parse("2026-03-01T08:00:00.000Z")): ManualTime {
  let now = start;
  let timers: { due: number; run: () => void }[] = [];
  return {
    now: () => now,
    timers: () => timers.length,
    after(ms, run) {
      const timer = { due: now + ms, run };
      const later = timers.findIndex(({ due }) => due > timer.due);
      timers.splice(later === -1 ? timers.length : later, 0, timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    async advance(ms, settled) {
      const end = now + ms;
      await settled?.();
      for (let next = timers[0]; next !== undefined && next.due <= end; next = timers[0]) {
        timers.shift();
        now = next.due;
        next.run();
        await settled?.();
      }
      now = end;
    },
  };
}
