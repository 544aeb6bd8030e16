import { type DestinationStream, type Logger, pino } from "pino";
import { requestId } from "./request-id.ts";

export type { Logger } from "pino";

/** What a line must never hold, however deep in an object or far inside a text it turns up, and what stands there instead. */
const secrets: readonly [pattern: RegExp, instead: string][] = [
  // By its name. An id token is the name of a thing, not a secret.
  [/"(\w*(?:password|secret|authorization|cookie|api_?key|private_?key)|(?!id_?token")\w*token)":"(?:[^"\\]|\\.)*"/gi, '"$1":"[Redacted]"'],
  // By its form: what HTTP shows, JSON Web Tokens, API keys, and passwords in URLs.
  [/\b(Bearer|Basic) +[\w+/=.~-]{8,}/gi, "$1 [Redacted]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "[Redacted]"],
  [/\bcmk_[\w-]{20,}/g, "[Redacted]"],
  [/(:\/\/[^\s"/:@]*):[^\s"/@]+@/g, "$1:[Redacted]@"],
];

/** A logger that writes one JSON object a line, to standard output unless `out` is given, each with the id of the request that it belongs to. */
export function makeLogger(service: string, level: string, out: DestinationStream = pino.destination(1)): Logger {
  return pino(
    {
      level,
      base: { service },
      hooks: { streamWrite: (line) => secrets.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line) },
      mixin: () => {
        const id = requestId();
        return id === undefined ? {} : { requestId: id };
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    out,
  );
}
