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

type Account = { user: UserRow; hash: string } | undefined;

/**
 * The user who signs in by this name and password. It takes the same steps, and as long, whether there is such a user or not.
 * UNAUTHENTICATED if the two do not belong together; RESOURCE_EXHAUSTED if the username or the address is locked; PERMISSION_DENIED if the
 * user is disabled, which is told only to who has the password and so tells nobody that there is such a user.
 */
export async function checkSignIn(checking: Checking, username: string, password: string, signal: AbortSignal): Promise<UserRow> {
  const key = usernameKey(username);
  const found = await userByKey(checking.db, key);
  // What was typed is not kept unless there is such a user: people type passwords here.
  if (found !== undefined) nameAttempt({ resource: `users/${found.id}`, details: { username: found.username } });
  await refuseLocked(checking, key);
  const account = found && { user: found, hash: found.password_hash };
  const user = await checkPassword(checking, key, account, password, signal);
  if (user === undefined)
    throw new AppError("unauthenticated", "INVALID_CREDENTIALS", "The username and the password do not belong together.");
  if (user.disable_time !== null)
    throw new AppError("permissionDenied", "USER_DISABLED", "This account is disabled. Ask whoever runs this service.");
  return user;
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

/** The user if the password is theirs. Counts it if it is not. */
async function checkPassword(
  checking: Checking,
  key: string,
  account: Account,
  password: string,
  signal: AbortSignal,
): Promise<UserRow | undefined> {
  const { db, passwords, clock } = checking;
  const isRight = await passwords.verify(account?.hash, password, signal);
  if (account !== undefined && isRight) {
    await forgiveWrong(checking, key);
    if (passwords.isOutdated(account.hash))
      await replacePasswordHash(db, account.user.id, account.hash, await passwords.hash(password, signal));
    return account.user;
  }
  await transact(db, async (tx) => {
    if (await countWrong(checking, tx, key)) await lockedOut(tx, account?.user, clock.now());
  });
  return undefined;
}
