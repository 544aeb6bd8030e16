import { setTimeout as sleep } from "node:timers/promises";
import { describeExit, type Exit, type Running } from "../servers/launch.ts";

/** A process that shall run for as long as the system does. `R` is what is known of one that runs. */
export type Task<R extends Running = Running> = {
  readonly name: string;
  /** What it was when it was started first. */
  readonly first: R;
  /** Resolves with a sentence once it has ended for good without being asked to. */
  readonly lost: Promise<string>;
  /** Has it started again from now on when it ends. Until then its end is for good. */
  keepAlive(): void;
  /** Ends it, by force after `graceMs`. */
  stop(graceMs: number): Promise<void>;
};

export type TaskOptions<R extends Running> = {
  readonly name: string;
  /** Is told what the first one was when it starts another. */
  readonly start: (first: R | undefined) => Promise<R>;
  /** What it last said of its trouble, for the sentence that says that it ended. */
  readonly trouble?: () => string | undefined;
  readonly report: (text: string) => void;
};

/** One that ran longer than this was well, in ms. */
const WELL_MS = 10_000;
/** So many ends in a row, none of them well before, and we give up. */
const FAILURES_MAX = 5;
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 10_000;

/** Starts it. Rejects if that fails. */
export async function startTask<R extends Running>({ name, start, trouble, report }: TaskOptions<R>): Promise<Task<R>> {
  const stopping = new AbortController();
  const first = await start(undefined);
  let running: R | undefined = first;
  let keep = false;

  const startAgain = async (why: string, failures: number): Promise<void> => {
    const wait = Math.min(BACKOFF_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
    report(`${why}; starting it again in ${wait / 1_000} s`);
    await sleep(wait, undefined, { signal: stopping.signal });
    try {
      running = await start(first);
      report("runs again");
    } catch (err) {
      report(err instanceof Error ? err.message : String(err));
    }
  };

  /** One that was killed had no say in it; one that ended by itself may have told why. */
  const explain = (exit: Exit): string => {
    const said = exit.signal === null ? trouble?.() : undefined;
    return `ended (${describeExit(exit)})${said === undefined ? "" : `: ${said}`}`;
  };

  const watch = async (): Promise<string> => {
    for (let failures = 0; ; ) {
      const startedAt = performance.now();
      const exit = await running?.exited;
      running = undefined;
      stopping.signal.throwIfAborted();
      const why = exit === undefined ? "did not start" : explain(exit);
      if (!keep) return `${name} ${why}`;
      failures = performance.now() - startedAt > WELL_MS ? 1 : failures + 1;
      if (failures === FAILURES_MAX) return `${name} ${why}; it failed ${FAILURES_MAX} times in a row`;
      await startAgain(why, failures);
    }
  };

  const lost = new Promise<string>((resolve, reject) => {
    watch().then(resolve, (err: unknown) => {
      if (!stopping.signal.aborted) reject(err);
    });
  });
  return {
    name,
    first,
    lost,
    keepAlive: () => {
      keep = true;
    },
    async stop(graceMs) {
      stopping.abort();
      const ending = running;
      await ending?.stop(graceMs);
      if ((await ending?.exited)?.signal === "SIGKILL") report("did not end in time and was killed");
    },
  };
}
