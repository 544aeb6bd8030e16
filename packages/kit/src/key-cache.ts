import type { JSONWebKeySet } from "jose";
import type { AppError } from "./errors.ts";
import type { KeySource } from "./token-verifier.ts";

/** A token with an unknown key makes us ask again, but not more often than this, in ms. Nor do we ask more often while nobody answers. */
const REFRESH_MS = 5_000;

/**
 * Keeps the keys that `fetchKeys` answers for `keepMs`. While they cannot be had, those we have go on serving; without any it throws what
 * `away` makes of the cause. Keys that have not changed stay the same object, by which verified tokens are remembered.
 */
export function cacheKeys(fetchKeys: () => Promise<JSONWebKeySet>, keepMs: number, away: (cause: unknown) => AppError): KeySource {
  let keys: JSONWebKeySet | undefined;
  let fetchTime = Number.NEGATIVE_INFINITY;
  let attemptTime = Number.NEGATIVE_INFINITY;
  let fetching: Promise<JSONWebKeySet> | undefined;
  const attempt = async (): Promise<JSONWebKeySet> => {
    attemptTime = performance.now();
    const answer = await fetchKeys();
    fetchTime = performance.now();
    if (keys === undefined || JSON.stringify(answer) !== JSON.stringify(keys)) keys = answer;
    return keys;
  };
  return async (refresh) => {
    const now = performance.now();
    if (keys !== undefined && ((!refresh && now - fetchTime < keepMs) || now - attemptTime < REFRESH_MS)) {
      // One that another call waits for may be just the one that is missing.
      if (!refresh || fetching === undefined) return keys;
    }
    fetching ??= attempt().finally(() => {
      fetching = undefined;
    });
    return fetching.catch((cause: unknown) => {
      if (keys !== undefined) return keys;
      throw away(cause);
    });
  };
}
