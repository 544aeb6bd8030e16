import { ConfigError, type Vars } from "./config.ts";
import { type Logger, makeLogger } from "./log.ts";

/** What has been opened and must be closed, in reverse. */
export class Stack {
  readonly #closers: { what: string; close: () => unknown }[] = [];

  /** Remembers how to close something that was just opened. */
  defer(what: string, close: () => unknown): void {
    this.#closers.push({ what, close });
  }

  /** Closes everything, newest first. One that fails is logged and does not keep the others open. */
  async close(log: Logger): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      try {
        await next.close();
      } catch (err) {
        log.error({ err, what: next.what }, "failed to close");
      }
    }
  }
}

/**
 * The life of a process: settings, start, and on SIGTERM or SIGINT a stop that drains.
 * Exit codes: 0 drained, 1 failed to start or died of a bug, 2 did not drain in time.
 */
export function runMain<C extends { logLevel: string; drainMs: number }>(
  service: string,
  readConfig: (vars: Vars) => C,
  start: (config: C, stack: Stack, log: Logger) => Promise<unknown>,
): void {
  const config = configOrExit(service, readConfig);
  if (config === undefined) return;
  const log = makeLogger(service, config.logLevel);
  const stack = new Stack();
  let stopping = false;
  const stop = (why: string, code: number): void => {
    if (stopping) return;
    stopping = true;
    process.exitCode = code;
    setTimeout(() => process.exit(code === 0 ? 2 : code), config.drainMs).unref();
    log.info({ why }, "stopping");
    // Whatever still holds the event loop after everything was closed is a leak, not a reason to stay.
    void stack.close(log).then(() => process.exit());
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(signal, 0));
  process.on("unhandledRejection", (err) => log.error({ err }, "a failure that nobody awaited"));
  process.on("uncaughtException", (err) => {
    log.fatal({ err }, "a bug");
    stop("a bug", 1);
  });
  start(config, stack, log).then(
    () => log.info("started"),
    (err: unknown) => {
      log.fatal({ err }, "failed to start");
      stop("failed to start", 1);
    },
  );
}

/** The life of a process that does one thing and ends, such as a migration. Exit codes: 0 done, 1 failed. */
export function runOnce<C extends { logLevel: string }>(
  service: string,
  readConfig: (vars: Vars) => C,
  work: (config: C, log: Logger) => Promise<unknown>,
): void {
  const config = configOrExit(service, readConfig);
  if (config === undefined) return;
  const log = makeLogger(service, config.logLevel);
  work(config, log).catch((err: unknown) => {
    log.fatal({ err }, "failed");
    process.exitCode = 1;
  });
}

/** The settings; undefined if they are wrong, which has been said and will be the exit code. */
function configOrExit<C>(service: string, readConfig: (vars: Vars) => C): C | undefined {
  try {
    return readConfig(process.env);
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    makeLogger(service, "info").fatal(err.message);
    process.exitCode = 1;
    return undefined;
  }
}
