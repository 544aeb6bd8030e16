/** Asks what `key` stands for, unless it was asked a moment ago. Undefined: it stands for nothing. What fails is thrown and not kept. */
export type Memory<T> = (key: string, ask: () => Promise<T | undefined>) => Promise<T | undefined>;

/**
 * Keeps answers for `keepMs`, at most `max` good ones and as many of nothing: made-up keys push out no good ones. Of several who ask for
 * the same at once, one does.
 */
export function makeMemory<T>(keepMs: number, max: number): Memory<T> {
  const good = new Map<string, Kept<T>>();
  const nothing = new Map<string, Kept<undefined>>();
  const asking = new Map<string, Promise<T | undefined>>();
  const askOnce = async (key: string, ask: () => Promise<T | undefined>): Promise<T | undefined> => {
    const answer = await ask();
    const endTime = performance.now() + keepMs;
    if (answer === undefined) keep(nothing, key, { answer, endTime }, max);
    else keep(good, key, { answer, endTime }, max);
    return answer;
  };
  return async (key, ask) => {
    const kept = good.get(key) ?? nothing.get(key);
    if (kept !== undefined && kept.endTime > performance.now()) return kept.answer;
    good.delete(key);
    nothing.delete(key);
    const asked = asking.get(key) ?? askOnce(key, ask).finally(() => asking.delete(key));
    asking.set(key, asked);
    return asked;
  };
}

interface Kept<T> {
  answer: T;
  endTime: number;
}

/** The oldest gives way. */
function keep<T>(all: Map<string, Kept<T>>, key: string, kept: Kept<T>, max: number): void {
  const [oldest] = all.size >= max ? all.keys() : [];
  if (oldest !== undefined) all.delete(oldest);
  all.set(key, kept);
}
