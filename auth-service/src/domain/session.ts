import { randomUUID } from "node:crypto";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError } from "@chargemesh/kit/errors";
import type { Db } from "../db/schema.ts";
import { deleteFamily, type NewSession, rotateToken, sessionByFamily } from "../db/session.ts";
import type { UserRow } from "../db/user.ts";
import { type AccessToken, makeAccessToken } from "./access-token.ts";
import { firstToken, nextToken, readToken } from "./refresh-token.ts";
import type { SigningKeys } from "./signing-keys.ts";

const DAY_MS = 24 * 3_600_000;

/** What sessions are made with. */
export interface Sessions {
  keys: SigningKeys;
  clock: Clock;
  accessTokenSeconds: number;
  /** How long a session lives without being refreshed. */
  refreshTokenDays: number;
}

/** A user who has just proved who they are. */
export interface SignedIn extends AccessToken {
  user: UserRow;
  refreshToken: string;
  refreshTokenExpireTime: Date;
}

/** Tokens for `user`, and the session to store before they are handed out. */
export async function openSession(sessions: Sessions, user: UserRow): Promise<{ signedIn: SignedIn; session: NewSession }> {
  const token = firstToken();
  const times = timesOf(sessions);
  const session = {
    id: randomUUID(),
    user_id: user.id,
    family_hash: token.familyHash,
    token_hash: token.hash,
    create_time: times.refresh_time,
  };
  return { signedIn: await signIn(sessions, user, token.text, times.expire_time), session: { ...session, ...times } };
}

/**
 * Exchanges a refresh token for new tokens; it is spent then. UNAUTHENTICATED if it is not the good one of a session.
 *
 * Of several who show it at once, one is served; the others are refused and nothing else happens, because each of them had seen the
 * token good. Whoever shows one that was spent before they asked ends the session, also a moment later and also if the answer was
 * lost on its way: a thief looks the same, and a window for retries would be theirs too (RFC 9700, 4.14.2). They sign in again.
 */
export async function refreshSession(sessions: Sessions, db: Db, text: string): Promise<SignedIn> {
  const shown = readToken(text);
  const found = shown && (await sessionByFamily(db, shown.familyHash));
  if (shown === undefined || found === undefined) throw refused("REFRESH_TOKEN_INVALID", "The refresh token is not valid. Sign in again.");
  const { session, user } = found;
  if (!session.token_hash.equals(shown.hash)) {
    await deleteFamily(db, shown.familyHash);
    throw refused("REFRESH_TOKEN_REUSED", "The refresh token was used before, so its session has ended. Sign in again.");
  }
  const times = timesOf(sessions);
  if (session.expire_time <= times.refresh_time) throw refused("REFRESH_TOKEN_EXPIRED", "The refresh token has expired. Sign in again.");
  const next = nextToken(text);
  const signedIn = await signIn(sessions, user, next.text, times.expire_time);
  const isFirst = await rotateToken(db, session.id, shown.hash, { token_hash: next.hash, ...times });
  if (!isFirst) throw refused("REFRESH_TOKEN_SPENT", "The refresh token was used by another call at the same moment.");
  return signedIn;
}

/** Ends the session that a refresh token, also a spent one, belongs to. Nothing happens if there is none. */
export async function endSession(db: Db, text: string): Promise<void> {
  const shown = readToken(text);
  if (shown !== undefined) await deleteFamily(db, shown.familyHash);
}

async function signIn({ keys, clock, accessTokenSeconds }: Sessions, user: UserRow, refreshToken: string, refreshTokenExpireTime: Date) {
  return { user, refreshToken, refreshTokenExpireTime, ...(await makeAccessToken(keys, clock, accessTokenSeconds, user)) };
}

function timesOf({ clock, refreshTokenDays }: Sessions): { refresh_time: Date; expire_time: Date } {
  const now = clock.now();
  return { refresh_time: now, expire_time: new Date(now.getTime() + refreshTokenDays * DAY_MS) };
}

function refused(reason: string, message: string): AppError {
  return new AppError("unauthenticated", reason, message);
}
