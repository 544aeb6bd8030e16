import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError } from "@chargemesh/kit/errors";
import type { SealedTexts } from "@chargemesh/kit/sealed-text";
import type { Transaction } from "kysely";
import { insertOneTimeToken, oneTimeToken, spendOneTimeToken, type TokenOfUser } from "../db/one-time-token.ts";
import type { Database, Db, TokenPurpose } from "../db/schema.ts";
import type { UserRow } from "../db/user.ts";
import { oneTimeTokenIssued } from "../events.ts";

/** What one-time tokens are made with. */
export interface OneTimeTokens {
  clock: Clock;
  /** Only services can open what goes out in events. */
  sealed: SealedTexts;
  /** How long a link is good for that verifies an address, and one that resets a password, in ms. */
  verifyEmailMs: number;
  resetPasswordMs: number;
}

const TOKEN_BYTES = 32;

/**
 * Makes a token for `user` and has it mailed to `email`; the one before it is good no more.
 * Without a user it is nobody's and is not mailed, and makes the same work: who asks cannot tell by the time that it takes.
 */
export async function issueToken(
  { clock, sealed, verifyEmailMs, resetPasswordMs }: OneTimeTokens,
  tx: Transaction<Database>,
  user: Pick<UserRow, "id" | "username" | "language"> | undefined,
  purpose: TokenPurpose,
  email: string | null,
): Promise<void> {
  const bytes = randomBytes(TOKEN_BYTES);
  const lifeMs = purpose === "RESET_PASSWORD" ? resetPasswordMs : verifyEmailMs;
  const expireTime = new Date(clock.now().getTime() + lifeMs);
  await insertOneTimeToken(tx, { hash: sha256(bytes), user_id: user?.id ?? null, purpose, email, expire_time: expireTime });
  await oneTimeTokenIssued(tx, user?.id ?? randomUUID(), {
    userId: user?.id ?? "",
    username: user?.username ?? "",
    email: email ?? "",
    purpose,
    sealedToken: sealed.seal(bytes.toString("base64url")),
    expireTime,
    language: user?.language ?? "",
  });
}

/** Whose a token is. It stays good. FAILED_PRECONDITION if it is not, any more or at all. */
export async function readOneTimeToken(
  { clock }: OneTimeTokens,
  db: Db,
  text: string,
  purposes: readonly TokenPurpose[],
): Promise<TokenOfUser & { hash: Buffer }> {
  const hash = sha256(Buffer.from(text, "base64url"));
  const found = await oneTimeToken(db, hash, purposes, clock.now());
  if (found === undefined || found.user.disable_time !== null) throw notGood();
  return { ...found, hash };
}

/** Uses a token up. FAILED_PRECONDITION if somebody else just did. */
export async function spendToken(tx: Transaction<Database>, hash: Buffer): Promise<void> {
  if (!(await spendOneTimeToken(tx, hash))) throw notGood();
}

function notGood(): AppError {
  return new AppError("failedPrecondition", "ONE_TIME_TOKEN_INVALID", "The link is not good, or not any more. Ask for a new one.");
}

/** Random bytes need no slow hash. */
function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
