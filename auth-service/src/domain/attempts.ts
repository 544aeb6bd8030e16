import { createHash } from "node:crypto";
import { callContext } from "@chargemesh/kit/call-context";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError } from "@chargemesh/kit/errors";
import { networkOf } from "@chargemesh/kit/network";
import type { Transaction } from "kysely";
import { attemptsOf, countAttempt, forgetAttempts } from "../db/attempts.ts";
import type { Database, Db } from "../db/schema.ts";

/** How often somebody may try. 0 is no limit. */
export interface Limits {
  /** Wrong passwords for one username, whether there is such a user or not. Then it is locked. */
  wrongPerUsername: number;
  /** Wrong passwords from one address. */
  wrongPerAddress: number;
  /** How long a lock lasts, and how long after the last one wrong passwords are remembered, in s. */
  lockSeconds: number;
  /** An hour each. */
  signUpsPerAddress: number;
  resetsPerAddress: number;
  mailsPerAccount: number;
}

/** What counting works with. */
export interface Counting {
  db: Db;
  clock: Clock;
  limits: Limits;
}

const HOUR_MS = 3_600_000;

/** The keys do not tell whom they are about, but to who asks for the right one. */
function keyOf(what: string, name: string): Buffer {
  return createHash("sha256").update(`${what}\0${name}`).digest();
}

/** The address that the call came from, as it is counted. */
function remoteNetwork(): string {
  return networkOf(callContext()?.remoteAddress ?? "");
}

const wrongFor = (usernameKey: string): Buffer => keyOf("wrong password", usernameKey);
const wrongFrom = (network: string): Buffer => keyOf("wrong password from", network);
const reaches = (count: number, limit: number): boolean => limit > 0 && count >= limit;

/** RESOURCE_EXHAUSTED if the username is locked, or the address of the call is. */
export async function refuseLocked({ db, clock, limits }: Counting, usernameKey: string): Promise<void> {
  const now = clock.now();
  const [account, address] = await attemptsOf(db, [wrongFor(usernameKey), wrongFrom(remoteNetwork())], now);
  if (account !== undefined && reaches(account.count, limits.wrongPerUsername)) throw locked(account.expireTime, now);
  if (address !== undefined && reaches(address.count, limits.wrongPerAddress)) throw tooManyFrom(address.expireTime, now);
}

/** Counts a wrong password, and answers whether it is the one that locks the username. */
export async function countWrong({ clock, limits }: Counting, tx: Transaction<Database>, usernameKey: string): Promise<boolean> {
  const now = clock.now();
  const lasting = { now, windowMs: limits.lockSeconds * 1_000, fromLast: true };
  const account = await countAttempt(tx, wrongFor(usernameKey), lasting);
  await countAttempt(tx, wrongFrom(remoteNetwork()), lasting);
  return limits.wrongPerUsername > 0 && account.count === limits.wrongPerUsername;
}

/**
 * After a right password: forgets the wrong ones before it. RESOURCE_EXHAUSTED if there were so many meanwhile that the username is locked:
 * of a thousand guesses at once none is told to be right after the twentieth was wrong.
 */
export async function forgiveWrong(counting: Counting, usernameKey: string): Promise<void> {
  const { db, clock, limits } = counting;
  const now = clock.now();
  const key = wrongFor(usernameKey);
  const [account] = await attemptsOf(db, [key], now);
  if (account === undefined || account.count === 0) return;
  if (reaches(account.count, limits.wrongPerUsername)) throw locked(account.expireTime, now);
  await forgetAttempts(db, key);
}

/** Ends a lock: its user has shown by a mail who they are. */
export async function unlock(tx: Transaction<Database>, usernameKey: string): Promise<void> {
  await forgetAttempts(tx, wrongFor(usernameKey));
}

/** RESOURCE_EXHAUSTED if there were too many sign-ups from the address of the call. */
export async function countSignUp({ db, clock, limits }: Counting): Promise<void> {
  if (limits.signUpsPerAddress === 0) return;
  const now = clock.now();
  const { count, expireTime } = await countAttempt(db, keyOf("sign-up", remoteNetwork()), { now, windowMs: HOUR_MS, fromLast: false });
  if (count > limits.signUpsPerAddress)
    throw tooMany("TOO_MANY_SIGN_UPS", "Too many people have signed up from your address. Come again later.", expireTime, now);
}

/** RESOURCE_EXHAUSTED if too many resets were asked for from the address of the call. */
export async function countReset({ db, clock, limits }: Counting): Promise<void> {
  if (limits.resetsPerAddress === 0) return;
  const now = clock.now();
  const { count, expireTime } = await countAttempt(db, keyOf("reset", remoteNetwork()), { now, windowMs: HOUR_MS, fromLast: false });
  if (count > limits.resetsPerAddress) throw tooManyMails(expireTime, now);
}

/** Counts a mail that somebody asked for, and answers whether there were too many for `account`: a user's id, a username or an address. */
export async function countMail({ db, clock, limits }: Counting, account: string): Promise<AppError | undefined> {
  if (limits.mailsPerAccount === 0) return undefined;
  const now = clock.now();
  const { count, expireTime } = await countAttempt(db, keyOf("mail", account), { now, windowMs: HOUR_MS, fromLast: false });
  return count > limits.mailsPerAccount ? tooManyMails(expireTime, now) : undefined;
}

function locked(until: Date, now: Date): AppError {
  return tooMany("ACCOUNT_LOCKED", "There were too many wrong passwords for this username. Come again later.", until, now);
}

function tooManyFrom(until: Date, now: Date): AppError {
  return tooMany("ADDRESS_LOCKED", "There were too many wrong passwords from your address. Come again later.", until, now);
}

function tooManyMails(until: Date, now: Date): AppError {
  return tooMany("TOO_MANY_MAILS", "Too many mails were asked for. Come again later.", until, now);
}

function tooMany(reason: string, message: string, until: Date, now: Date): AppError {
  return new AppError("resourceExhausted", reason, message, { retryAfterMs: until.getTime() - now.getTime() });
}
