import { nameAttempt } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { passwordHashOf, replacePasswordHash, type UserRow, userById, userByKey } from "../db/user.ts";
import { lockedOut } from "../events.ts";
import { type Counting, countWrong, forgiveWrong, refuseLocked } from "./attempts.ts";
import type { Passwords } from "./passwords.ts";
import { usernameKey } from "./user.ts";

/** What passwords are checked with. */
export interface Checking extends Counting {
  passwords: Passwords;
}

/** A user, and the hash of the password that they have shown. */
export interface Account {
  user: UserRow;
  hash: string;
}

/**
 * The user who signs in by this name and password, with the hash that the password has now. It takes the same steps, and as long, whether there is such a user or not.
 * UNAUTHENTICATED if the two do not belong together; RESOURCE_EXHAUSTED if the username or the address is locked; PERMISSION_DENIED if the
 * user is disabled, which is told only to who has the password and so tells nobody that there is such a user.
 */
export async function checkSignIn(checking: Checking, username: string, password: string, signal: AbortSignal): Promise<Account> {
  const key = usernameKey(username);
  const found = await userByKey(checking.db, key);
  // What was typed is not kept unless there is such a user: people type passwords here.
  if (found !== undefined) nameAttempt({ resource: `users/${found.id}`, details: { username: found.username } });
  await refuseLocked(checking, key);
  const account = found && { user: found, hash: found.password_hash };
  const checked = await checkPassword(checking, key, account, password, signal);
  if (checked === undefined) throw invalidCredentials();
  if (checked.user.disable_time !== null)
    throw new AppError("permissionDenied", "USER_DISABLED", "This account is disabled. Ask whoever runs this service.");
  return checked;
}

export function invalidCredentials(): AppError {
  return new AppError("unauthenticated", "INVALID_CREDENTIALS", "The username and the password do not belong together.");
}

/**
 * The user who calls, who must know their password: a token alone may be a thief's. Wrong ones count as at sign-in.
 * PERMISSION_DENIED if it is wrong; UNAUTHENTICATED if the user is no more; RESOURCE_EXHAUSTED if the username or the address is locked.
 */
export async function checkOwnPassword(checking: Checking, userId: string, password: string, signal: AbortSignal): Promise<UserRow> {
  const user = await userById(checking.db, userId);
  if (user === undefined || user.disable_time !== null)
    throw new AppError("unauthenticated", "TOKEN_INVALID", "The user of this access token is no more.");
  nameAttempt({ resource: `users/${user.id}` });
  const key = usernameKey(user.username);
  await refuseLocked(checking, key);
  const hash = await passwordHashOf(checking.db, userId);
  const account = hash === undefined ? undefined : { user, hash };
  if ((await checkPassword(checking, key, account, password, signal)) === undefined)
    throw new AppError("permissionDenied", "INVALID_PASSWORD", "The password is not the current one.");
  return user;
}

/** The account, with the hash that it has now, if the password is its own. Counts it if it is not. */
async function checkPassword(
  checking: Checking,
  key: string,
  account: Account | undefined,
  password: string,
  signal: AbortSignal,
): Promise<Account | undefined> {
  const { db, passwords, clock } = checking;
  const isRight = await passwords.verify(account?.hash, password, signal);
  if (account !== undefined && isRight) {
    await forgiveWrong(checking, key);
    return passwords.isOutdated(account.hash) ? withNewHash(checking, account, password, signal) : account;
  }
  await transact(db, async (tx) => {
    if (await countWrong(checking, tx, key)) await lockedOut(tx, account?.user, clock.now());
  });
  return undefined;
}

/** Keeps a hash that costs what the settings say now. Undefined if the password has changed meanwhile. */
async function withNewHash({ db, passwords }: Checking, { user, hash }: Account, password: string, signal: AbortSignal) {
  const renewed = await passwords.hash(password, signal);
  if (await replacePasswordHash(db, user.id, hash, renewed)) return { user, hash: renewed };
  // Somebody else has signed in by the same password at the same moment, or it is another one now.
  const current = await passwordHashOf(db, user.id);
  return current !== undefined && (await passwords.verify(current, password, signal)) ? { user, hash: current } : undefined;
}
