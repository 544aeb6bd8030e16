/** One timer for everybody's time-outs, a tick a second: 10,000 sockets need no 20,000 timers. */
export interface Wheel {
  /** Runs `work` once, in `seconds` or up to one more. The answer calls it off. */
  in(seconds: number, work: () => void): () => void;
  stop(): void;
}

export function makeWheel(): Wheel {
  const ticks = new Map<number, Set<() => void>>();
  let now = 0;
  const timer = setInterval(() => {
    now++;
    const due = ticks.get(now);
    ticks.delete(now);
    for (const work of due ?? []) work();
  }, 1000);
  return {
    in(seconds, work) {
      const at = now + Math.max(1, Math.ceil(seconds)) + 1;
      const due = ticks.get(at) ?? new Set();
      // One entry each, even of the same function.
      const entry = (): void => work();
      due.add(entry);
      ticks.set(at, due);
      return () => due.delete(entry);
    },
    stop: () => clearInterval(timer),
  };
}
