import { SigningKeyServiceClient } from "@chargemesh/contracts/auth/v1/signing_key_service";
import type { JSONWebKeySet } from "jose";
import { AppError } from "./errors.ts";
import { callUnary, openClient } from "./grpc-client.ts";
import type { KeySource } from "./identity.ts";
import type { Stack } from "./main.ts";

/** How long keys are used before they are asked for again, in ms. auth-service publishes a new key at least this long before it signs with it. */
export const KEY_CACHE_MS = 5 * 60_000;
/** A token with an unknown key makes us ask again, but not more often than this, in ms. */
const REFRESH_MS = 5_000;
const DEADLINE_MS = 3_000;

/** The keys of auth-service, cached. While it is away, those we have go on serving. */
export function remoteKeys(authTarget: string, stack: Stack): KeySource {
  const client = openClient(SigningKeyServiceClient, authTarget);
  stack.defer("auth client", () => client.close());
  let keys: JSONWebKeySet | undefined;
  let fetchTime = Number.NEGATIVE_INFINITY;
  let fetching: Promise<JSONWebKeySet> | undefined;
  const fetchKeys = async (): Promise<JSONWebKeySet> => {
    const answer = await callUnary(client.listSigningKeys.bind(client), {}, { deadline: Date.now() + DEADLINE_MS });
    keys = { keys: answer.keys };
    fetchTime = performance.now();
    return keys;
  };
  return async (refresh) => {
    const age = performance.now() - fetchTime;
    if (keys !== undefined && age < (refresh ? REFRESH_MS : KEY_CACHE_MS)) return keys;
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined;
    });
    return fetching.catch((cause: unknown) => {
      if (keys !== undefined) return keys;
      throw new AppError("unavailable", "AUTH_UNAVAILABLE", "Access tokens cannot be verified at the moment. Try again.", { cause });
    });
  };
}
