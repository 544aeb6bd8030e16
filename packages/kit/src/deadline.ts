/** Kept back, so that we can say which callee was slow before our own caller gives up on us. */
const RETURN_MS = 20;
/** Less than this is not worth starting. */
const WORTHWHILE_MS = 100;
/** What a caller that names no deadline gets, in ms: longer than any unary call of ours may wait. */
export const DEFAULT_DEADLINE_MS = 60_000;

/** When the calls that we make on behalf of a caller must be done, in ms since 1970; undefined if it is too late to begin one. */
export function innerDeadline(outer: number, now: number): number | undefined {
  const inner = outer - RETURN_MS;
  return inner - now < WORTHWHILE_MS ? undefined : inner;
}
