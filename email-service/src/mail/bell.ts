/** Wakes the one who waits. Rung while nobody waits, it ends the next wait at once. */
export interface Bell {
  ring(): void;
  /** Waits `ms`, or only until the bell rings. */
  wait(ms: number): Promise<void>;
}

export function makeBell(): Bell {
  let rung = false;
  let wake = (): void => undefined;
  return {
    ring() {
      rung = true;
      wake();
    },
    async wait(ms) {
      if (!rung) {
        const waiting = Promise.withResolvers<void>();
        const timer = setTimeout(waiting.resolve, ms);
        wake = waiting.resolve;
        await waiting.promise;
        clearTimeout(timer);
      }
      rung = false;
    },
  };
}
