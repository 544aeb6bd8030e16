import { AppError } from "@chargemesh/kit/errors";

/** Runs `work` when it is its turn. RESOURCE_EXHAUSTED if too many wait; CANCELLED if `signal` has ended before its turn. */
export type Queue = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** A queue in which `atOnce` run and at most `waitingMax` more wait, first come first served. */
export function makeQueue(atOnce: number, waitingMax: number): Queue {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work, signal) => {
    if (running < atOnce) running++;
    else if (waiting.length < waitingMax) await new Promise<void>((resolve) => waiting.push(resolve));
    else throw new AppError("resourceExhausted", "TOO_MANY_SIGN_INS", "Too many people are signing in at the moment. Try again.");
    try {
      if (signal.aborted) throw new AppError("cancelled", "CALLER_GONE", "The caller did not wait.");
      return await work();
    } finally {
      // The place goes to the next one, so `running` stays as it is.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
