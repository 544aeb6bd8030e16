import type { Clock } from "@chargemesh/kit/clock";

/** A clock that goes as the real one does, `aheadMs` ahead of it. */
export interface MovableClock extends Clock {
  aheadMs: number;
}

export function movableClock(aheadMs = 0): MovableClock {
  return {
    aheadMs,
    now() {
      return new Date(Date.now() + this.aheadMs);
    },
  };
}
