import { AppError } from "@chargemesh/kit/errors";
import { ensureJournal, isNotFound, JOURNAL } from "@chargemesh/kit/event-streams";
import type { Logger } from "@chargemesh/kit/log";
import type { Nats } from "@chargemesh/kit/nats";
import { rest } from "@chargemesh/kit/rest";
import { AckPolicy, type Consumer, type ConsumerMessages, DeliverPolicy, type JsMsg, NatsError, nanos } from "nats";

/** How many events wait here for whoever reads; the others wait in the journal. A request for more is renewed after so many ms. */
const FETCH = { max_messages: 200, expires: 5_000 };
/** How long NATS keeps our place for us while we do not ask, in ms. */
const INACTIVE_MS = 30_000;
const RETRY_MS = 500;
/** What NATS says of consumers that live streams read by. */
const LIVE = "live streams";

/** What the journal holds at a moment. */
export interface JournalState {
  /** When it was made: one that is made anew begins to count anew. */
  readonly created: string;
  /** The sequence of its first event that is kept, and of its last one. */
  readonly first: number;
  readonly last: number;
}

/** The journal now; made, if it is not there. UNAVAILABLE while NATS is away. */
export async function journalState(nats: Nats, log: Logger): Promise<JournalState> {
  try {
    return await readState(nats, log);
  } catch (cause) {
    if (!(cause instanceof NatsError)) throw cause;
    throw new AppError("unavailable", "NATS_UNAVAILABLE", "The message bus is not available. Try again.", { cause });
  }
}

async function readState(nats: Nats, log: Logger): Promise<JournalState> {
  const { streams } = await nats.connection().jetstreamManager({ checkAPI: false });
  const info = await streams.info(JOURNAL).catch(async (err: unknown) => {
    if (!isNotFound(err)) throw err;
    // It is kept by rounds; who comes before the first one need not wait for it.
    await ensureJournal(nats, "charger-service", log);
    return streams.info(JOURNAL);
  });
  return { created: info.created, first: info.state.first_seq, last: info.state.last_seq };
}

/** Throws FAILED_PRECONDITION unless the journal has every event after `sequence`. */
export function checkKept({ first, last }: JournalState, sequence: number): void {
  if (sequence > last) throw unknownCursor();
  if (sequence + 1 < first)
    throw new AppError("failedPrecondition", "CURSOR_EXPIRED", "The events after this cursor are not kept any more. Begin without one.");
}

function unknownCursor(): AppError {
  return new AppError("failedPrecondition", "CURSOR_UNKNOWN", "No event has this cursor, or the journal was made anew. Begin without one.");
}

/**
 * What the journal holds after `sequence`, then what comes, until `signal` says to stop: in order, without a gap and none twice, also over a
 * loss of NATS. Throws FAILED_PRECONDITION if that cannot be: events are gone that were not read yet, or the journal is not the one that was
 * made when `created` says. `reader` is what NATS says of the consumer.
 */
export async function* journalAfter(
  nats: Nats,
  created: string,
  sequence: number,
  signal: AbortSignal,
  log: Logger,
  reader = LIVE,
): AsyncGenerator<JsMsg, void, undefined> {
  let last = sequence;
  const check = async (): Promise<void> => {
    const state = await journalState(nats, log);
    if (state.created !== created) throw unknownCursor();
    checkKept(state, last);
  };
  while (!signal.aborted) {
    try {
      for await (const message of messagesAfter(nats, last, check, signal, log, reader)) {
        // What is missing was taken out of the middle by hand, or has gone since we began.
        if (message.seq !== last + 1) await check();
        last = message.seq;
        yield message;
      }
    } catch (err) {
      if (!isNatsAway(err)) throw err;
      log.warn({ err }, "reading the journal was interrupted");
      await rest(RETRY_MS, signal);
    }
  }
}

function isNatsAway(err: unknown): boolean {
  return err instanceof NatsError || (err instanceof AppError && err.code === "unavailable");
}

/** What the journal holds after `sequence`, then what comes. Ends when one was lost on its way to us; whoever reads begins again after the last one. */
async function* messagesAfter(
  nats: Nats,
  sequence: number,
  check: () => Promise<void>,
  signal: AbortSignal,
  log: Logger,
  reader: string,
): AsyncGenerator<JsMsg, void, undefined> {
  const consumer = await consumerAfter(nats, sequence, reader);
  let delivered = 0;
  try {
    // Only now: if the journal is made anew after this, the consumer is gone with the old one.
    await check();
    while (!signal.aborted) {
      for await (const message of fetched(await consumer.fetch(FETCH), signal)) {
        if (message.info.deliverySequence !== ++delivered) return;
        yield message;
      }
      // What was on its way while the connection broke does not come again, and nothing need ever follow it to tell us.
      if (!signal.aborted && (await consumer.info()).delivered.consumer_seq !== delivered) return;
    }
  } finally {
    // NATS forgets it by itself, but later. What keeps us from saying so has made it forget already.
    void consumer.delete().catch((err: unknown) => log.debug({ err }, "could not delete a consumer"));
  }
}

/** The messages of one request, until it ends or `signal` says to stop. */
async function* fetched(messages: ConsumerMessages, signal: AbortSignal): AsyncGenerator<JsMsg, void, undefined> {
  const stop = (): void => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    yield* messages;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function consumerAfter(nats: Nats, sequence: number, reader: string): Promise<Consumer> {
  const manager = await nats.connection().jetstreamManager({ checkAPI: false });
  const { name } = await manager.consumers.add(JOURNAL, {
    description: reader,
    ack_policy: AckPolicy.None,
    // By sequence, not "new": one that is made again after a loss must not leave out what came in between.
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence + 1,
    inactive_threshold: nanos(INACTIVE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  return nats.connection().jetstream().consumers.get(JOURNAL, name);
}
