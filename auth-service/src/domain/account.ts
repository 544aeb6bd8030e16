import { recordAudit, userActor } from "@chargemesh/kit/audit";
import { badRequest } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import type { Transaction } from "kysely";
import { deleteApiKeysOf } from "../db/api-key.ts";
import { deleteOneTimeTokens } from "../db/one-time-token.ts";
import type { Database } from "../db/schema.ts";
import { deleteSessionsOf, insertSession } from "../db/session.ts";
import { changeUser, lockUser, type UserRow, userByKey, usersByEmailKey } from "../db/user.ts";
import { passwordResetRequested, securityNotice, userUpdated, userVerified } from "../events.ts";
import { type Counting, countMail, countReset, unlock } from "./attempts.ts";
import { issueToken, type OneTimeTokens, readOneTimeToken, spendToken } from "./one-time-token.ts";
import { requireGoodPassword } from "./password-rule.ts";
import type { Passwords } from "./passwords.ts";
import { openSession, type Sessions, type SignedIn } from "./session.ts";
import { emailKey, usernameKey } from "./user.ts";

/** What accounts work with. */
export interface Accounts extends Counting {
  passwords: Passwords;
  sessions: Sessions;
  tokens: OneTimeTokens;
}

/** Nobody needs more, and a mail each is what a stranger can have sent to an address. */
const USERS_OF_EMAIL_MAX = 3;

/**
 * Has links mailed to the users who are meant: the one of this name, or those of this address; if any has shown that the address is theirs,
 * only those. Whether there are any can be seen neither by the answer nor by how long it takes: for nobody the same rows are written.
 * RESOURCE_EXHAUSTED if too many were asked for from the address of the call.
 */
export async function requestReset(accounts: Accounts, asked: { username: string } | { email: string }): Promise<void> {
  await countReset(accounts);
  const key = usernameKey("username" in asked ? asked.username : asked.email);
  const tooMany = await countMail(accounts, key);
  const found = "username" in asked ? [await userByKey(accounts.db, key)] : await usersByEmailKey(accounts.db, key, USERS_OF_EMAIL_MAX);
  const users = found.filter((user) => tooMany === undefined && mayReset(user));
  const verified = users.filter((user) => user?.email_verify_time !== null);
  const recipients = "email" in asked && verified.length > 0 ? verified : users;
  await transact(accounts.db, async (tx) => {
    for (const user of recipients.length > 0 ? recipients : [undefined]) {
      await passwordResetRequested(tx, user?.id);
      await issueToken(accounts.tokens, tx, user, "RESET_PASSWORD", user?.email ?? null);
      await recordAudit(tx, { resource: user === undefined ? "" : `users/${user.id}` });
    }
  });
}

/** Users of other identity providers have their passwords there. */
function mayReset(user: UserRow | undefined): boolean {
  return user !== undefined && user.disable_time === null && user.email !== null && user.issuer === null;
}

/**
 * Sets the password of whoever the token was mailed to. Sessions, API keys and links end, and a lock; the address is shown to be theirs.
 * FAILED_PRECONDITION if the token is not good; INVALID_ARGUMENT, and it stays good, if the password is too easy.
 */
export async function resetPassword(accounts: Accounts, token: string, password: string, signal: AbortSignal): Promise<void> {
  const { db, clock, passwords, tokens } = accounts;
  const { user, email, hash } = await readOneTimeToken(tokens, db, token, ["RESET_PASSWORD"]);
  requireGoodPassword(password, user, "new_password");
  const passwordHash = await passwords.hash(password, signal);
  const now = clock.now();
  await transact(db, async (tx) => {
    await spendToken(tx, hash);
    const before = await lockUser(tx, user.id);
    const isShown = email !== null && before?.email === email && before.email_verify_time === null;
    const changed = await setPassword(tx, user, passwordHash, isShown ? { email_verify_time: now } : {}, now);
    // Who has lost their password may have lost more, or somebody else has made the account in their name and kept a key to it.
    await deleteApiKeysOf(tx, user.id);
    await unlock(tx, usernameKey(user.username));
    if (isShown) await emailShown(tx, changed);
    await recordAudit(tx, { resource: `users/${user.id}`, actor: userActor(user) });
  });
}

/** Sets a new password for a user who has just shown the old one, ends their sessions, and begins a new one. INVALID_ARGUMENT if it is too easy. */
export async function changePassword(accounts: Accounts, user: UserRow, password: string, signal: AbortSignal): Promise<SignedIn> {
  requireGoodPassword(password, user, "new_password");
  const passwordHash = await accounts.passwords.hash(password, signal);
  const { signedIn, session } = await openSession(accounts.sessions, user);
  await transact(accounts.db, async (tx) => {
    await setPassword(tx, user, passwordHash, {}, accounts.clock.now());
    await insertSession(tx, session);
    await recordAudit(tx, { resource: `users/${user.id}`, details: { session: session.id } });
  });
  return signedIn;
}

async function setPassword(
  tx: Transaction<Database>,
  user: UserRow,
  passwordHash: string,
  more: { email_verify_time?: Date },
  now: Date,
): Promise<UserRow> {
  const changed = await changeUser(tx, user.id, { password_hash: passwordHash, ...more });
  await deleteSessionsOf(tx, user.id);
  await deleteOneTimeTokens(tx, user.id);
  await securityNotice(tx, changed, "PASSWORD_CHANGED", now);
  return changed;
}

/** Has the link mailed again that shows an address to be the user's. RESOURCE_EXHAUSTED if it is asked for too often. */
export async function mailVerification(accounts: Accounts, user: UserRow): Promise<void> {
  await requireMail(accounts, user);
  await mailToken(accounts, user, "VERIFY_EMAIL", user.email);
}

/** Has a link mailed to another address, which becomes the user's by it. RESOURCE_EXHAUSTED if it is asked for too often. */
export async function mailToNewEmail(accounts: Accounts, user: UserRow, email: string): Promise<void> {
  if (emailKey(email) === emailKey(user.email)) throw badRequest([{ field: "email", description: "is the current one" }]);
  await requireMail(accounts, user);
  await mailToken(accounts, user, "CHANGE_EMAIL", email);
}

function mailToken({ db, tokens }: Accounts, user: UserRow, purpose: "VERIFY_EMAIL" | "CHANGE_EMAIL", email: string | null): Promise<void> {
  return transact(db, async (tx) => {
    await issueToken(tokens, tx, user, purpose, email);
    await recordAudit(tx, { resource: `users/${user.id}` });
  });
}

async function requireMail(accounts: Accounts, { id }: UserRow): Promise<void> {
  const tooMany = await countMail(accounts, id);
  if (tooMany !== undefined) throw tooMany;
}

/**
 * Takes the address that a token was mailed to for its user's. If it takes the place of another, links that went there are good no more, and
 * the old address is told. FAILED_PRECONDITION if the token is not good.
 */
export async function verifyEmail({ db, clock, tokens }: Pick<Accounts, "db" | "clock" | "tokens">, token: string): Promise<void> {
  const { user, email, hash } = await readOneTimeToken(tokens, db, token, ["VERIFY_EMAIL", "CHANGE_EMAIL"]);
  const now = clock.now();
  await transact(db, async (tx) => {
    await spendToken(tx, hash);
    const before = (await lockUser(tx, user.id)) ?? user;
    const changed = await changeUser(tx, user.id, { email, email_key: emailKey(email), email_verify_time: now });
    if (before.email !== email) {
      await deleteOneTimeTokens(tx, user.id);
      await securityNotice(tx, before, "EMAIL_CHANGED", now);
    }
    await emailShown(tx, changed);
    const details = { email: before.email === email ? "verified" : "changed" };
    await recordAudit(tx, { resource: `users/${user.id}`, actor: userActor(user), details });
  });
}

async function emailShown(tx: Transaction<Database>, user: UserRow): Promise<void> {
  await userUpdated(tx, user);
  await userVerified(tx, user);
}
