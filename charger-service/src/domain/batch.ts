import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { withoutDatabase } from "@chargemesh/kit/postgres";

/** What need not be in the database before anybody is answered, and is written a moment later, many at once (decision 4). */
export interface Batch<Item> {
  /** Costs next to nothing and never throws. */
  add(item: Item): void;
}

/** How late it is written, in ms: what a kill may lose. */
const WRITE_MS = 500;
/** As many as one statement writes. */
const STATEMENT_ITEMS_MAX = 1_000;
/** While the database is away, so much is kept: some ten seconds of a busy replica. Then the oldest go. */
const WAITING_MAX = { items: 20_000, size: 32_000_000 };
const RETRY_MS = 1_000;

/** `sizeOf` is about how many bytes an item holds. */
export function makeBatch<Item>(
  what: string,
  write: (items: readonly Item[]) => Promise<void>,
  sizeOf: (item: Item) => number,
  stack: Stack,
  log: Logger,
): Batch<Item> {
  let waiting: Item[] = [];
  let size = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const isOver = (share: number): boolean => waiting.length > WAITING_MAX.items * share || size > WAITING_MAX.size * share;
  /** Some at once, or each one that comes would move all that wait. */
  const dropOldest = (): void => {
    const kept = waiting.length;
    const reversed = waiting.reverse();
    while (isOver(0.9)) {
      const oldest = reversed.pop();
      if (oldest !== undefined) size -= sizeOf(oldest);
    }
    waiting = reversed.reverse();
    dropped += kept - waiting.length;
  };
  const take = (): Item[] => {
    const items = waiting.splice(0, STATEMENT_ITEMS_MAX);
    for (const item of items) size -= sizeOf(item);
    return items;
  };
  /** False if the database is away. */
  const writeSome = async (items: readonly Item[]): Promise<boolean> => {
    try {
      await write(items);
      if (dropped > 0) log.warn({ what, dropped }, "what waited for the database was too much, and the oldest was dropped");
      dropped = 0;
      return true;
    } catch (err) {
      if (withoutDatabase(err) instanceof AppError) return false;
      log.error({ err, what, dropped: items.length }, "a bug");
      return true;
    }
  };
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const items = take();
      if (await writeSome(items)) continue;
      for (const item of items) size += sizeOf(item);
      waiting = [...items, ...waiting];
      return;
    }
  };
  const later = (ms: number): void => {
    timer = setTimeout(() => {
      writing = writeAll().finally(() => {
        timer = undefined;
        if (waiting.length > 0) later(RETRY_MS);
      });
    }, ms);
  };
  stack.defer(what, async () => {
    clearTimeout(timer);
    await writing;
    clearTimeout(timer);
    await writeAll();
  });
  return {
    add(item) {
      waiting.push(item);
      size += sizeOf(item);
      if (isOver(1)) dropOldest();
      if (timer === undefined) later(WRITE_MS);
    },
  };
}
