import type { Logger } from "@chargemesh/kit/log";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

type Level = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/**
 * Makes the logger of a request when it first has something to say that is written: to make one costs as much as to find the request's
 * route. `log` is the one of which they are made.
 */
export function logWhenNeeded(log: Logger): Parameters<FastifyInstance["setChildLoggerFactory"]>[0] {
  return (parent, bindings, options) => {
    let made: FastifyBaseLogger | undefined;
    const child = (): FastifyBaseLogger => {
      made ??= parent.child(bindings, options);
      return made;
    };
    const at =
      (level: Level): FastifyBaseLogger[Level] =>
      (...said: unknown[]) => {
        if (log.isLevelEnabled(level)) Reflect.apply(child()[level], made, said);
      };
    return {
      level: parent.level,
      child: (more, moreOptions) => child().child(more, moreOptions),
      fatal: at("fatal"),
      error: at("error"),
      warn: at("warn"),
      info: at("info"),
      debug: at("debug"),
      trace: at("trace"),
      silent: () => undefined,
    };
  };
}
