import { type Logger, pino } from "pino";
import { requestId } from "./request-id.ts";

export type { Logger } from "pino";

/** What must never be written down, wherever it turns up one or two levels deep. */
const secret = ["password", "accessToken", "refreshToken", "authorization", "secret"];

/** A logger that writes one JSON object a line to standard output, each with the id of the request that it belongs to. */
export function makeLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    redact: secret.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    mixin: () => {
      const id = requestId();
      return id === undefined ? {} : { requestId: id };
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
