import { randomUUID } from "node:crypto";
import { recordAudit, userActor } from "@chargemesh/kit/audit";
import { callContext } from "@chargemesh/kit/call-context";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import type { Transaction } from "kysely";
import type { Database, Db } from "../db/schema.ts";
import { deleteFamily, lockFamily, type NewSession, rotateToken, type SessionOfUser } from "../db/session.ts";
import type { UserRow } from "../db/user.ts";
import { securityNotice } from "../events.ts";
import { type AccessToken, makeAccessToken } from "./access-token.ts";
import { firstToken, nextToken, type RefreshToken, readToken } from "./refresh-token.ts";
import type { SigningKeys } from "./signing-keys.ts";

const DAY_MS = 24 * 3_600_000;

/** What sessions are made with. */
export interface Sessions {
  keys: SigningKeys;
  clock: Clock;
  accessTokenSeconds: number;
  /** How long a session lives without being refreshed. */
  refreshTokenDays: number;
  /** How long the token before the good one is answered as it was the first time. */
  refreshGraceSeconds: number;
  /** With what refresh tokens are made from those before them. */
  refreshKey: Buffer;
  /** With what devices are made unrecognizable. */
  deviceKey: Buffer;
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
    ...times,
    ...client(),
  };
  return { signedIn: await signIn(sessions, user, session.id, token.text, times.expire_time), session };
}

/**
 * Exchanges a refresh token for new tokens; it is spent then. UNAUTHENTICATED if it is not the good one of a session.
 *
 * A spent one that is shown again ends the session, for a thief looks the same. Only the one that was exchanged last is answered as it was
 * the first time, for a moment: its client may not have heard us (docs/adr/0010).
 */
export async function refreshSession(sessions: Sessions, db: Db, text: string): Promise<SignedIn> {
  const shown = readToken(text);
  const result = shown && (await transact(db, (tx) => exchange(sessions, tx, shown)));
  if (result === undefined) throw refused("REFRESH_TOKEN_INVALID", "The refresh token is not valid. Sign in again.");
  if (result instanceof AppError) throw result;
  return result;
}

/** What a refresh is answered; undefined if there is no such session. A refusal is an answer here, so that what it did is committed. */
async function exchange(sessions: Sessions, tx: Transaction<Database>, shown: RefreshToken): Promise<SignedIn | AppError | undefined> {
  const found = await lockFamily(tx, shown.familyHash);
  if (found === undefined || found.user.disable_time !== null) return undefined;
  const { session, user } = found;
  const next = nextToken(sessions.refreshKey, shown.text);
  const times = timesOf(sessions);
  const isGood = session.token_hash.equals(shown.hash);
  if (!isGood && !isRepeat(sessions, found, shown, next)) return endReused(tx, user, session.id, shown, times.refresh_time);
  if (session.expire_time <= times.refresh_time) {
    return refused("REFRESH_TOKEN_EXPIRED", "The refresh token has expired. Sign in again.");
  }
  if (isGood) await rotateToken(tx, session.id, { token_hash: next.hash, previous_hash: shown.hash, ...times, ...client() });
  return signIn(sessions, user, session.id, next.text, isGood ? times.expire_time : session.expire_time);
}

/** Whether a token was exchanged for the good one just now, so that who shows it may not have got the answer. */
function isRepeat({ clock, refreshGraceSeconds }: Sessions, { session }: SessionOfUser, shown: RefreshToken, next: RefreshToken): boolean {
  const age = clock.now().getTime() - session.refresh_time.getTime();
  return age < refreshGraceSeconds * 1000 && session.previous_hash?.equals(shown.hash) === true && session.token_hash.equals(next.hash);
}

async function endReused(tx: Transaction<Database>, user: UserRow, sessionId: string, shown: RefreshToken, now: Date): Promise<AppError> {
  const reason = "REFRESH_TOKEN_REUSED";
  await deleteFamily(tx, shown.familyHash);
  if (user.email !== null) await securityNotice(tx, user, reason, now);
  await recordAudit(tx, { resource: `users/${user.id}`, result: reason, actor: userActor(user), details: { session: sessionId } });
  return refused("REFRESH_TOKEN_REUSED", "The refresh token was used before, so its session has ended. Sign in again.");
}

/** Ends the session that a refresh token, also a spent one, belongs to. Nothing happens if there is none. */
export async function endSession(db: Db, text: string): Promise<void> {
  const shown = readToken(text);
  if (shown === undefined) return;
  await transact(db, async (tx) => {
    const found = await lockFamily(tx, shown.familyHash);
    if (found === undefined) return;
    const { session, user } = found;
    await deleteFamily(tx, shown.familyHash);
    await recordAudit(tx, { resource: `users/${user.id}`, actor: userActor(user), details: { session: session.id } });
  });
}

async function signIn(sessions: Sessions, user: UserRow, sessionId: string, refreshToken: string, refreshTokenExpireTime: Date) {
  return { user, refreshToken, refreshTokenExpireTime, ...(await makeAccessToken(sessions, user, sessionId)) };
}

function timesOf({ clock, refreshTokenDays }: Sessions): { refresh_time: Date; expire_time: Date } {
  const now = clock.now();
  return { refresh_time: now, expire_time: new Date(now.getTime() + refreshTokenDays * DAY_MS) };
}

/** Who gets the tokens, as far as one can tell. */
function client(): { remote_address: string; user_agent: string } {
  const { remoteAddress = "", userAgent = "" } = callContext() ?? {};
  return { remote_address: remoteAddress, user_agent: userAgent };
}

function refused(reason: string, message: string): AppError {
  return new AppError("unauthenticated", reason, message);
}
