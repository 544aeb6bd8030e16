import type { Logger } from "@chargemesh/kit/log";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

type ChildLoggerFactory = Parameters<FastifyInstance["setChildLoggerFactory"]>[0];

/**
 * Makes the logger of a request when it first has something to say that is written: to make one costs as much as to find the request's
 * route. `log` is the one of which they are made.
 */
export function logWhenNeeded(log: Logger): ChildLoggerFactory {
  return (parent, bindings, options) => new RequestLog(log, () => parent.child(bindings, options));
}

class RequestLog implements FastifyBaseLogger {
  readonly #log: Logger;
  readonly #make: () => FastifyBaseLogger;
  #made: FastifyBaseLogger | undefined;

  constructor(log: Logger, make: () => FastifyBaseLogger) {
    this.#log = log;
    this.#make = make;
  }

  get level(): string {
    return this.#log.level;
  }

  child(...more: Parameters<FastifyBaseLogger["child"]>): FastifyBaseLogger {
    return this.#own().child(...more);
  }

  fatal(...said: unknown[]): void {
    this.#say("fatal", said);
  }

  error(...said: unknown[]): void {
    this.#say("error", said);
  }

  warn(...said: unknown[]): void {
    this.#say("warn", said);
  }

  info(...said: unknown[]): void {
    this.#say("info", said);
  }

  debug(...said: unknown[]): void {
    this.#say("debug", said);
  }

  trace(...said: unknown[]): void {
    this.#say("trace", said);
  }

  silent(): void {
    // That is what it is for.
  }

  #own(): FastifyBaseLogger {
    this.#made ??= this.#make();
    return this.#made;
  }

  #say(level: "fatal" | "error" | "warn" | "info" | "debug" | "trace", said: unknown[]): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const own = this.#own();
    Reflect.apply(own[level], own, said);
  }
}
