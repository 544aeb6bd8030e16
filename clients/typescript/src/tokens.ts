import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { type SignedInUser, UserService } from "../gen/chargemesh/auth/v1.js";
import { ApiError } from "./api-error.js";

/**
 * Answers an access token; asked before every call. `stale` is one that a service has refused just now, so that a new one is needed. Write
 * your own where tokens come from elsewhere.
 */
export type Tokens = (stale?: string) => Promise<string>;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A token is replaced when it has this long to live, or half its life if that is less, so that it lasts for the call that it is for. */
const MARGIN_MS = 30_000;
const { logIn, refreshTokens } = UserService.method;

/** Signs in when a token is first needed, refreshes it before it ends, and signs in again when it can no longer be refreshed. */
export function passwordTokens(transport: Transport, credentials: Credentials): Tokens {
  let current: Session | undefined;
  let pending: Promise<Session> | undefined;
  const signIn = async (): Promise<Session> => {
    const { message } = await transport.unary(logIn, undefined, undefined, undefined, credentials);
    return toSession(message.user);
  };
  const refresh = async (refreshToken: string): Promise<Session> => {
    try {
      const { message } = await transport.unary(refreshTokens, undefined, undefined, undefined, { refreshToken });
      return toSession(message.user);
    } catch (error) {
      if (ApiError.from(error).code !== "UNAUTHENTICATED") throw error;
      return await signIn();
    }
  };
  return async (stale) => {
    if (current !== undefined && current.accessToken !== stale && Date.now() < current.freshUntil) return current.accessToken;
    // A refresh token is good for one use, so whoever else asks meanwhile waits for the same answer.
    pending ??= (current === undefined ? signIn() : refresh(current.refreshToken)).finally(() => {
      pending = undefined;
    });
    current = await pending;
    return current.accessToken;
  };
}

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** In ms since 1970, by our own clock. */
  readonly freshUntil: number;
}

function toSession(user: SignedInUser | undefined): Session {
  if (user?.accessTokenExpireTime === undefined) throw new Error("The answer to a sign-in holds no token.");
  const expireTime = timestampMs(user.accessTokenExpireTime);
  const lifetimeMs = expireTime - Date.now();
  const { accessToken, refreshToken } = user;
  return { accessToken, refreshToken, freshUntil: expireTime - Math.min(MARGIN_MS, lifetimeMs / 2) };
}
