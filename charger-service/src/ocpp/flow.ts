import type { Wheel } from "./wheel.ts";

/** What keeps a charger to its share of our time. */
export interface Flow {
  /** A frame has come. Costs a subtraction, unless the charger has used up its share. */
  came(): void;
  stop(): void;
}

/** How many seconds' worth may come at once: a charger that comes back has a queue to tell of. */
const BURST_SECONDS = 5;

/**
 * Calls `pause` when more than `perSecond` frames have come for a while, and `resume` when the charger has waited its time. What it sends
 * meanwhile stays in its own buffers, so that nothing is lost.
 */
export function limitFlow(perSecond: number, wheel: Wheel, pause: () => void, resume: () => void): Flow {
  const burst = perSecond * BURST_SECONDS;
  let left = burst;
  let since = performance.now();
  let waiting: (() => void) | undefined;
  const refill = (): void => {
    const now = performance.now();
    left = Math.min(burst, left + ((now - since) / 1000) * perSecond);
    since = now;
  };
  const goOn = (): void => {
    refill();
    waiting = left < 1 ? wheel.in(1, goOn) : undefined;
    if (waiting === undefined) resume();
  };
  return {
    came() {
      left--;
      // What had arrived before the pause comes all the same.
      if (left >= 0 || waiting !== undefined) return;
      refill();
      if (left >= 0) return;
      waiting = wheel.in(1, goOn);
      pause();
    },
    stop: () => waiting?.(),
  };
}
