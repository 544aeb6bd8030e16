import type { Logger } from "@chargemesh/kit/log";
import type { Nats } from "@chargemesh/kit/nats";
import type { JsMsg } from "nats";
import { type JournalState, journalAfter } from "./journal.ts";
import { makeRing, type Ring, type Told } from "./ring.ts";
import { makeTurns } from "./turns.ts";

/** What reads the journal once for all who follow it in this process. */
export interface Hub<T> {
  /**
   * The events of the journal after `sequence`, which it must have, then what comes, until `signal` says to stop: as `journalAfter`, and
   * failing like it. One who is slow, or has much to catch up with, is held up by no other `caller` and holds up none.
   */
  follow(journal: JournalState, sequence: number, caller: string, signal: AbortSignal): AsyncGenerator<Told<T>, void, undefined>;
}

/** How many followers of one caller read from the journal at once: each reads all of it that it has missed, up to weeks of it, for itself. */
const CATCHING_UP_MAX = 8;

/** How many followers are woken in one turn of the event loop, so that everything else in this process gets its turn between them. */
const WOKEN_AT_ONCE = 64;

/** One reading of the journal, for as long as anybody follows. */
interface Reading<T> {
  readonly created: string;
  readonly ring: Ring<T>;
  readonly bells: Set<Bell>;
  readonly stopping: AbortController;
  /** Why it has ended by itself. */
  failure: unknown;
}

interface Bell {
  ring(): void;
  /** Resolves when it is rung. */
  rung(): Promise<void>;
}

/** `read` makes of a message what followers want; they share what it makes. */
export function makeHub<T>(nats: Nats, read: (message: JsMsg) => T, log: Logger): Hub<T> {
  let current: Reading<T> | undefined;
  const turns = makeTurns(CATCHING_UP_MAX);
  const readingOf = ({ created, last }: JournalState): Reading<T> => {
    if (current?.created === created && current.failure === undefined) return current;
    current = { created, ring: makeRing(last), bells: new Set(), stopping: new AbortController(), failure: undefined };
    void run(current, last);
    return current;
  };
  const run = async (reading: Reading<T>, start: number): Promise<void> => {
    const wake = waker(reading.bells);
    try {
      for await (const message of journalAfter(nats, reading.created, start, reading.stopping.signal, log)) {
        reading.ring.add({ sequence: message.seq, event: read(message) }, message.data.length);
        wake();
      }
    } catch (err) {
      reading.failure = err;
      wake();
    }
  };
  const leave = (reading: Reading<T>, bell: Bell): void => {
    reading.bells.delete(bell);
    if (reading.bells.size > 0) return;
    reading.stopping.abort();
    if (current === reading) current = undefined;
  };
  return {
    async *follow(journal, sequence, caller, signal) {
      if (signal.aborted) return;
      const reading = readingOf(journal);
      const bell = makeBell();
      reading.bells.add(bell);
      signal.addEventListener("abort", bell.ring);
      const behind = async function* (last: number, end: () => number) {
        const giveBack = await turns.take(caller, signal);
        try {
          for await (const message of journalAfter(nats, journal.created, last, signal, log)) {
            yield { sequence: message.seq, event: read(message) };
            if (message.seq >= end()) return;
          }
        } finally {
          giveBack();
        }
      };
      try {
        yield* followReading(reading, sequence, bell, behind, signal);
      } finally {
        signal.removeEventListener("abort", bell.ring);
        leave(reading, bell);
      }
    },
  };
}

/** What the ring has lost, or never had, is read from the journal by `behind`, as far as where the ring begins by then. */
async function* followReading<T>(
  reading: Reading<T>,
  sequence: number,
  bell: Bell,
  behind: (last: number, end: () => number) => AsyncGenerator<Told<T>, void, undefined>,
  signal: AbortSignal,
): AsyncGenerator<Told<T>, void, undefined> {
  const { ring } = reading;
  let last = sequence;
  while (!signal.aborted) {
    if (last < ring.base) {
      for await (const told of behind(last, () => ring.base)) {
        last = told.sequence;
        yield told;
      }
      continue;
    }
    const told = ring.after(last);
    if (told !== undefined) {
      last = told.sequence;
      yield told;
    } else if (reading.failure !== undefined) throw reading.failure;
    else await bell.rung();
  }
}

/** Rings all bells, in turns; when asked again meanwhile, once more after that. */
function waker(bells: ReadonlySet<Bell>): () => void {
  let isWaking = false;
  let again = false;
  const wake = async (): Promise<void> => {
    isWaking = true;
    do {
      again = false;
      await nextTurn();
      let woken = 0;
      for (const bell of bells) {
        bell.ring();
        if (++woken % WOKEN_AT_ONCE === 0) await nextTurn();
      }
    } while (again);
    isWaking = false;
  };
  return () => {
    if (isWaking) again = true;
    else void wake();
  };
}

function makeBell(): Bell {
  let resolve = (): void => undefined;
  return {
    ring: () => resolve(),
    rung: () =>
      new Promise((done) => {
        resolve = done;
      }),
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
