/** Lets so many at once do something for the same caller. Others wait for their turn; those of other callers do not wait for them. */
export interface Turns {
  /** Resolves when it is the caller's turn, with what gives it back; or when `signal` ends, without a turn. */
  take(caller: string, signal: AbortSignal): Promise<() => void>;
}

interface Line {
  taken: number;
  /** Each is handed a turn, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

const nothing = (): void => undefined;

export function makeTurns(atOnce: number): Turns {
  const lines = new Map<string, Line>();
  return {
    async take(caller, signal) {
      if (signal.aborted) return nothing;
      const line = lines.get(caller) ?? { taken: 0, waiting: new Set() };
      lines.set(caller, line);
      if (line.taken < atOnce) line.taken++;
      else if (!(await isHandedOne(line, signal))) return nothing;
      return () => {
        const [next] = line.waiting;
        if (next !== undefined) next();
        else if (--line.taken === 0) lines.delete(caller);
      };
    },
  };
}

function isHandedOne({ waiting }: Line, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const leave = (isHanded: boolean): void => {
      waiting.delete(hand);
      signal.removeEventListener("abort", giveUp);
      resolve(isHanded);
    };
    const hand = (): void => leave(true);
    const giveUp = (): void => leave(false);
    waiting.add(hand);
    signal.addEventListener("abort", giveUp, { once: true });
  });
}
