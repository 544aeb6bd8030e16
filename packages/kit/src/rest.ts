import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits `ms`, or only until `signal` says to stop.
 * A race of a timer with a promise that lasts as long as the process would keep 256 bytes of every wait for as long.
 */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((err: unknown) => {
    if (!signal.aborted) throw err;
  });
}
