import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import { rest } from "./rest.ts";

/** How long after one round the next begins, and after one that failed, in ms; by default the same. */
export interface Pace {
  everyMs: number;
  retryMs?: number;
}

/** Does `round` again and again, never two at once, until the stack closes, which waits for the one under way. What fails is logged, and done again. */
export function keepDoing(name: string, { everyMs, retryMs = everyMs }: Pace, round: () => Promise<void>, stack: Stack, log: Logger): void {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const isDone = await round().then(
        () => true,
        (err: unknown) => {
          log.warn({ err, round: name }, "a round has failed");
          return false;
        },
      );
      await rest(isDone ? everyMs : retryMs, stopping.signal);
    }
  };
  const running = run();
  stack.defer(name, () => {
    stopping.abort();
    return running;
  });
}
