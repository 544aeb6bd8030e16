import type { Event } from "../gen/chargemesh/charger/v1.js";
import { ApiError } from "./api-error.js";
import type { Chargemesh } from "./client.js";

export interface FollowOptions {
  /** The cursor of the last event that was seen, to go on after it; without it, from now on. */
  readonly after?: string;
  /** Only these types: full names, or the last part of them: "TransactionStarted". */
  readonly types?: readonly string[];
  /** Only what is about this charger, or this transaction. */
  readonly chargerId?: string;
  readonly transactionId?: string;
  readonly signal?: AbortSignal;
}

/** Failures that no second try mends. */
const FINAL = [
  "CANCELLED",
  "FAILED_PRECONDITION",
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "OUT_OF_RANGE",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNIMPLEMENTED",
];
/** Pauses between tries double from the one to the other, in ms. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;
/** What ends sooner is taken to have failed, in ms. */
const LIVED_MS = 1_000;

/**
 * Follows everything that happens, as far as the caller may see it. Resolves when the stream is open, so that what is done after that is seen.
 * A stream that is lost, or ends with its token, is opened again, without an end, after the last event that was seen: none is missed, and none
 * comes twice. Rejects where that is in vain: FAILED_PRECONDITION if the events after the cursor are not kept any more.
 */
export async function followEvents(client: Chargemesh, options: FollowOptions = {}): Promise<AsyncGenerator<Event, void, undefined>> {
  return follow(client, options, await open(client, options, options.after));
}

async function* follow(client: Chargemesh, options: FollowOptions, first: AsyncIterable<Event>): AsyncGenerator<Event, void, undefined> {
  let cursor = options.after;
  let pauseMs = 0;
  for (let stream: AsyncIterable<Event> | undefined = first; ; stream = undefined) {
    const startTime = Date.now();
    try {
      for await (const event of stream ?? (await open(client, options, cursor))) {
        cursor = event.cursor;
        yield event;
      }
    } catch (error) {
      const { code, reason } = ApiError.from(error);
      if (FINAL.includes(code) && reason !== "TOKEN_EXPIRED") throw error;
    }
    // A stream that has lived is opened again at once; one that cannot be opened, or is ended at once, after longer and longer pauses.
    pauseMs = Date.now() - startTime > LIVED_MS ? 0 : Math.min(Math.max(2 * pauseMs, RETRY_MS), RETRY_MS_MAX);
    await pause(pauseMs, options.signal);
  }
}

/** Resolves when the service has taken the call, and rejects if it refuses. */
async function open(
  client: Chargemesh,
  { types = [], chargerId = "", transactionId = "", signal }: FollowOptions,
  cursor = "",
): Promise<AsyncIterable<Event>> {
  const { promise: opened, resolve: onHeader } = Promise.withResolvers<unknown>();
  const request = { types: [...types], chargerId, transactionId, cursor };
  const stream = client.events.watchEvents(request, { onHeader, ...(signal !== undefined && { signal }) });
  const iterator = stream[Symbol.asyncIterator]();
  const first = iterator.next();
  await Promise.race([opened, first]);
  return (async function* () {
    try {
      for (let next = await first; next.done !== true; next = await iterator.next())
        if (next.value.event !== undefined) yield next.value.event;
    } finally {
      await iterator.return?.();
    }
  })();
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(ApiError.from(signal?.reason));
    };
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
