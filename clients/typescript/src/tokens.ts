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

/** A token is replaced when it has this long to live, so that it lasts for the call that it is for. */
const MARGIN_MS = 30_000;
const { logIn, refreshTokens } = UserService.method;

/** Signs in when a token is first needed, refreshes it before it ends, and signs in again when it can no longer be refreshed. */
export function passwordTokens(transport: Transport, credentials: Credentials): Tokens {
  let current: SignedInUser | undefined;
  let pending: Promise<SignedInUser> | undefined;
  const signIn = async (): Promise<SignedInUser> => {
    const { message } = await transport.unary(logIn, undefined, undefined, undefined, credentials);
    return signedIn(message.user);
  };
  const refresh = async (refreshToken: string): Promise<SignedInUser> => {
    try {
      const { message } = await transport.unary(refreshTokens, undefined, undefined, undefined, { refreshToken });
      return signedIn(message.user);
    } catch (error) {
      if (ApiError.from(error).code !== "UNAUTHENTICATED") throw error;
      return await signIn();
    }
  };
  return async (stale) => {
    if (current !== undefined && current.accessToken !== stale && isFresh(current)) return current.accessToken;
    // A refresh token is good for one use, so whoever else asks meanwhile waits for the same answer.
    pending ??= (current === undefined ? signIn() : refresh(current.refreshToken)).finally(() => {
      pending = undefined;
    });
    current = await pending;
    return current.accessToken;
  };
}

function signedIn(user: SignedInUser | undefined): SignedInUser {
  if (user === undefined) throw new Error("The answer to a sign-in holds no user.");
  return user;
}

function isFresh({ accessTokenExpireTime }: SignedInUser): boolean {
  return accessTokenExpireTime !== undefined && timestampMs(accessTokenExpireTime) - Date.now() > MARGIN_MS;
}
