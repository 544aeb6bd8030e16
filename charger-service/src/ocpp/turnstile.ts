/** Lets so many in at once; the others wait in line. */
export interface Turnstile {
  /** Resolves when it is one's turn; whoever has had it must leave. Undefined if the line is too long. */
  enter(): Promise<void> | undefined;
  leave(): void;
}

export function makeTurnstile(atOnce: number, waitingMax: number): Turnstile {
  const line: (() => void)[] = [];
  let inside = 0;
  return {
    enter() {
      if (inside < atOnce) {
        inside++;
        return Promise.resolve();
      }
      return line.length < waitingMax ? new Promise((resolve) => line.push(resolve)) : undefined;
    },
    leave() {
      const next = line.shift();
      if (next === undefined) inside--;
      else next();
    },
  };
}
