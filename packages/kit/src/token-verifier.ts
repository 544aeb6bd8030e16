import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { AppError } from "./errors.ts";

/** Hands out the public keys, at once if they are there; with `refresh`, asks for them again because one was missing. */
export type KeySource = (refresh: boolean) => JSONWebKeySet | Promise<JSONWebKeySet>;

/** Reads tokens of one issuer. */
export interface TokenVerifier<T> {
  /** What a token says that was verified before, with the keys that are good now; undefined if it was not, has expired, or they are not there. */
  known(token: string): T | undefined;
  /** What a token says. UNAUTHENTICATED if it is not good. */
  verify(token: string): Promise<T>;
}

/** Verifying a signature is the dearest part of a call, and a caller shows the same token for minutes. */
const VERIFIED_MAX = 10_000;

/**
 * Verifies tokens as `options` say, and remembers what `read` made of them as long as the keys are the same: importing keys costs more than
 * using them, too. A token must name its key.
 */
export function makeTokenVerifier<T extends { expireTime: number }>(
  keys: KeySource,
  options: JWTVerifyOptions & { algorithms: string[] },
  read: (payload: JWTPayload) => T,
): TokenVerifier<T> {
  let current: { set: JSONWebKeySet; resolve: JWTVerifyGetKey; verified: Map<string, T> } | undefined;
  const stateOf = (set: JSONWebKeySet): NonNullable<typeof current> => {
    if (current?.set !== set) current = { set, resolve: resolverOf(set), verified: new Map() };
    return current;
  };
  const verifyWith = async (token: string, set: JSONWebKeySet): Promise<T> => {
    const { resolve, verified } = stateOf(set);
    const said = read((await jwtVerify(token, resolve, options)).payload);
    if (verified.size >= VERIFIED_MAX) verified.clear();
    verified.set(token, said);
    return said;
  };
  return {
    known(token) {
      const set = keys(false);
      if (set instanceof Promise) {
        // Whoever verifies it asks again, and is told what went wrong.
        set.catch(() => undefined);
        return undefined;
      }
      const said = stateOf(set).verified.get(token);
      return said !== undefined && said.expireTime > Date.now() ? said : undefined;
    },
    async verify(token) {
      const set = await keys(false);
      return verifyWith(token, set)
        .catch(async (err: unknown) => {
          if (!(err instanceof errors.JWKSNoMatchingKey)) throw err;
          return verifyWith(token, await keys(true));
        })
        .catch(asUnauthenticated);
    },
  };
}

function resolverOf(set: JSONWebKeySet): JWTVerifyGetKey {
  const local = createLocalJWKSet(set);
  return (header, token) => {
    // By itself it takes the only key that there is for a token that names none.
    if (header?.kid === undefined) throw new errors.JWSInvalid("the token names no key");
    return local(header, token);
  };
}

/** A fault of the token as UNAUTHENTICATED; anything else as it was. */
export function asUnauthenticated(cause: unknown): never {
  if (cause instanceof errors.JWTExpired)
    throw new AppError("unauthenticated", "TOKEN_EXPIRED", "The access token has expired.", { cause });
  if (cause instanceof errors.JOSEError)
    throw new AppError("unauthenticated", "TOKEN_INVALID", "The access token is not valid.", { cause });
  throw cause;
}
