import type { QueryExecutorProvider } from "kysely";
import { actorOf, appendAuditEntry, attemptOf, hasRecordedRefusal, type PlainEntry } from "./audit.ts";
import type { CallContext } from "./call-context.ts";
import type { AppError, Code } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";

/** Refusals that tell of somebody. The others tell of a mistake in the request, or of ourselves. */
const telling: ReadonlySet<Code> = new Set([
  "unauthenticated",
  "permissionDenied",
  "resourceExhausted",
  "failedPrecondition",
  "notFound",
  "alreadyExists",
  "aborted",
]);
/** Refusals that differ in nothing are counted for so long and then kept as one, in ms. */
const WINDOW_MS = 60_000;
/** How many different ones are told apart in that time for each known caller, and for all who are not known together. A flood ends here, not in the table. */
const DISTINCT_MAX = 100;
/** A path may be as long as somebody likes. */
const RESOURCE_CHARACTERS_MAX = 255;

/** Keeps that a call was refused; `resource` is what it was about as far as the request says. */
export type RecordRefusal = (context: CallContext, err: AppError, resource: string) => void;

/**
 * Keeps refusals in the audit log, in transactions of their own: the first at once, those like it together a minute later.
 * It does not hold up the answer, and what cannot be kept because the database is away is in the log of the process only.
 */
export function keepRefusals(db: QueryExecutorProvider, stack: Stack, log: Logger): RecordRefusal {
  let windows = new Map<string, Map<string, PlainEntry>>();
  const writing = new Set<Promise<void>>();
  const write = (entry: PlainEntry): void => {
    const written = appendAuditEntry(db, entry)
      .catch((err: unknown) => log.warn({ err, action: entry.action, result: entry.result }, "a refusal could not be kept"))
      .finally(() => writing.delete(written));
    writing.add(written);
  };
  const flush = (): void => {
    const ended = windows;
    windows = new Map();
    for (const entries of ended.values()) for (const entry of entries.values()) if (entry.count > 0) write(entry);
  };
  const timer = setInterval(flush, WINDOW_MS);
  stack.defer("refusals", async () => {
    clearInterval(timer);
    flush();
    await Promise.all(writing);
  });
  return (context, err, resource) => {
    if (!telling.has(err.code) || hasRecordedRefusal(context)) return;
    const entry = entryOf(context, err, resource);
    const actor = `${entry.actor.kind} ${entry.actor.id}`;
    const seen = windows.get(actor) ?? new Map<string, PlainEntry>();
    windows.set(actor, seen);
    const kept = seen.size < DISTINCT_MAX || seen.has(JSON.stringify(entry)) ? entry : blurred(entry);
    const key = JSON.stringify(kept);
    const same = seen.get(key);
    if (same !== undefined) same.count++;
    else {
      seen.set(key, { ...kept, count: 0 });
      write(kept);
    }
  };
}

function entryOf(context: CallContext, { reason }: AppError, resource: string): PlainEntry {
  const attempt = attemptOf(context);
  return {
    actor: attempt.actor ?? actorOf(context.caller),
    action: context.rpc,
    resource: (attempt.resource || resource).slice(0, RESOURCE_CHARACTERS_MAX),
    result: reason,
    details: attempt.details ?? {},
    remoteAddress: context.remoteAddress,
    count: 1,
  };
}

/** What is left of an entry where there are too many to tell apart: who, what and why. */
function blurred(entry: PlainEntry): PlainEntry {
  return { ...entry, resource: "", details: {}, remoteAddress: "" };
}
