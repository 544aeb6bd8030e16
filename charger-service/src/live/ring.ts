/** An event of the journal, as whoever keeps it here wants it. */
export interface Told<T> {
  readonly sequence: number;
  readonly event: T;
}

/** How much the ring keeps: so many events, and so many bytes of what they were read from. A reader that is slower reads from the journal. */
const EVENTS_MAX = 4_096;
const BYTES_MAX = 8 * 1024 * 1024;

/** The newest events of the journal. */
export interface Ring<T> {
  /** The sequence after which it has everything that has come. */
  readonly base: number;
  add(told: Told<T>, bytes: number): void;
  /** The first event after `sequence`, if it has come. What is asked for must not be before `base`. */
  after(sequence: number): Told<T> | undefined;
}

export function makeRing<T>(start: number): Ring<T> {
  const slots = new Array<{ told: Told<T>; bytes: number } | undefined>(EVENTS_MAX);
  let base = start;
  // Events are counted from 0; a count's place is the remainder.
  let head = 0;
  let end = 0;
  let bytesKept = 0;
  const at = (count: number) => slots[count % EVENTS_MAX];
  const drop = (): void => {
    const oldest = at(head);
    if (oldest === undefined) return;
    slots[head % EVENTS_MAX] = undefined;
    head++;
    bytesKept -= oldest.bytes;
    base = oldest.told.sequence;
  };
  return {
    get base() {
      return base;
    },
    add(told, bytes) {
      if (end - head === EVENTS_MAX) drop();
      slots[end % EVENTS_MAX] = { told, bytes };
      end++;
      bytesKept += bytes;
      while (bytesKept > BYTES_MAX && end - head > 1) drop();
    },
    after(sequence) {
      // Sequences have hardly ever a hole, and then none is far from where it should be: look there, and go back.
      let count = Math.min(end, head + Math.max(0, sequence - base));
      while (count > head && (at(count - 1)?.told.sequence ?? 0) > sequence) count--;
      return count < end ? at(count)?.told : undefined;
    },
  };
}
