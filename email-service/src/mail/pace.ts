import { rest } from "@chargemesh/kit/rest";

/** Waits for one's turn, or until `signal` says to stop. */
export type Turn = (signal: AbortSignal) => Promise<void>;

/** Gives out `perSecond` turns in a second, evenly, in the order in which they are asked for; with 0 all at once. */
export function makePace(perSecond: number): Turn {
  if (perSecond === 0) return async () => undefined;
  let next = 0;
  return (signal) => {
    const now = performance.now();
    const turn = Math.max(now, next);
    next = turn + 1_000 / perSecond;
    return rest(turn - now, signal);
  };
}
