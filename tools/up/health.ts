import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "../servers/start-error.ts";

/** More than a slow machine needs, in ms. */
const HEALTHY_MS = 60_000;
const ANSWER_MS = 2_000;
const POLL_MS = 100;

/** Waits until the gateway at `host:port` says that everything serves. Rejects with StartError and what it said last if it never does. */
export async function untilHealthy(gateway: string): Promise<void> {
  const url = `http://${gateway}/health`;
  let last = "nothing answers";
  for (const end = Date.now() + HEALTHY_MS; Date.now() < end; await sleep(POLL_MS)) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
      const text = await answer.text();
      if (answer.status === 200) return;
      last = `${answer.status} ${text}`;
    } catch (err) {
      // Not listening yet, or too busy: the reason counts only if it is the last.
      last = err instanceof Error ? err.message : String(err);
    }
  }
  throw new StartError(`Not healthy after ${HEALTHY_MS / 1_000} s; ${url} says: ${last}.`);
}
