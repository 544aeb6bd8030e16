import type { JSONWebKeySet } from "jose";
import type { AppError } from "./errors.ts";
import type { KeySource } from "./token-verifier.ts";

/** A token with an unknown key makes us ask again, but not more often than this, in ms. Nor do we ask more often while nobody answers. */
const REFRESH_MS = 5_000;

/**
 * Keeps the keys that `fetchKeys` answers for `keepMs`, and gets new ones without anybody waiting for them, unless nobody has asked for as
 * long again. While they cannot be had, those we have go on serving; without any it throws what `away` makes of the cause. Keys that have
 * not changed stay the same object, by which verified tokens are remembered.
 */
export function cacheKeys(fetchKeys: () => Promise<JSONWebKeySet>, keepMs: number, away: (cause: unknown) => AppError): KeySource {
  const pauseMs = Math.min(REFRESH_MS, keepMs);
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
  const fetchOnce = (): Promise<JSONWebKeySet> => {
    fetching ??= attempt()
      .catch((cause: unknown) => {
        if (keys !== undefined) return keys;
        throw away(cause);
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };
  const mayAsk = (): boolean => performance.now() - attemptTime >= pauseMs;
  const again = async (known: JSONWebKeySet): Promise<JSONWebKeySet> => {
    // One that is under way may have been answered before there was the key that is missing.
    const underWay = await fetching;
    return mayAsk() ? fetchOnce() : (underWay ?? known);
  };
  return (refresh) => {
    if (keys === undefined) return fetchOnce();
    if (refresh) return again(keys);
    const age = performance.now() - fetchTime;
    if (age < keepMs || (fetching === undefined && !mayAsk())) return keys;
    const asked = fetchOnce();
    return age < 2 * keepMs ? keys : asked;
  };
}
