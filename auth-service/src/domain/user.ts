import { randomUUID } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact, violates } from "@chargemesh/kit/postgres";
import { isEmail } from "@chargemesh/kit/rules";
import type { Transaction } from "kysely";
import { deleteOneTimeTokens } from "../db/one-time-token.ts";
import type { Database, Db } from "../db/schema.ts";
import { deleteSessionsOf } from "../db/session.ts";
import { changeUser, deleteUser, insertUser, lockAdmins, lockUser, type UserRow } from "../db/user.ts";
import { securityNotice, userCreated, userDeleted, userDisabledOrEnabled, userUpdated } from "../events.ts";
import type { Language } from "./language.ts";

/** What usernames are compared by. Computed here and not in Postgres, whose lower() knows only the letters of its locale. */
export function usernameKey(username: string): string {
  // By way of upper case, so that letters with two lower forms are one: σ and ς, ss and ß.
  return username.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** What email addresses are compared by, as usernames are. */
export function emailKey(email: string | null): string | null {
  return email === null ? null : usernameKey(email);
}

/** A user who is not stored yet. A username that is an address is also the email, unless another one is given. */
export function newUser(said: { username: string; email: string; language: Language }, role: UserRow["role"], now: Date): UserRow {
  const { email, language } = said;
  const name = said.username.normalize("NFC");
  const address = email === "" && isEmail(name) ? name : email;
  const state = { email_verify_time: null, role, disable_time: null, create_time: now, issuer: null, language };
  return { id: randomUUID(), username: name, email: address === "" ? null : address, ...state };
}

/** Stores a user, and says so. ALREADY_EXISTS if the username is taken. */
export async function createUser(tx: Transaction<Database>, user: UserRow, passwordHash: string): Promise<void> {
  const keys = { username_key: usernameKey(user.username), email_key: emailKey(user.email) };
  const row = { ...user, ...keys, password_hash: passwordHash, subject: null };
  await userCreated(tx, await insertUser(tx, row).catch(asTaken));
}

function asTaken(err: unknown): never {
  if (!violates(err, "user_username_must_be_unique")) throw err;
  const violations = [{ field: "username", description: "is taken" }];
  throw new AppError("alreadyExists", "USERNAME_TAKEN", "This username is taken.", { cause: err, violations });
}

/** What may be changed of a user; what is not named stays. */
export interface UserChange {
  role?: UserRow["role"];
  disabled?: boolean;
  language?: Language;
}

/**
 * Changes a user, and says so if anything is another. Access tokens in use keep the old role until they end, five minutes at most;
 * the next refresh brings the new one, so sessions need not end. Who is disabled has none any more, and no links that are good.
 * NOT_FOUND if there is no such user; FAILED_PRECONDITION if no administrator would be left who may sign in.
 */
export function updateUser(db: Db, id: string, change: UserChange, now: Date): Promise<UserRow> {
  return transact(db, async (tx) => {
    const admins = mayTakeAdmin(change) ? await lockAdmins(tx) : [];
    const user = await lockUser(tx, id);
    if (user === undefined) throw noUser(id);
    const wasDisabled = user.disable_time !== null;
    const next = { role: user.role, disabled: wasDisabled, language: user.language, ...change };
    if (next.role === user.role && next.disabled === wasDisabled && next.language === user.language) return user;
    keepExternalRole(user, next.role);
    if (next.role !== "ADMIN" || next.disabled) keepAdmin(admins, user);
    const disableTime = next.disabled ? (user.disable_time ?? now) : null;
    const updated = await changeUser(tx, id, { role: next.role, language: next.language, disable_time: disableTime });
    if (next.disabled && !wasDisabled) {
      await deleteSessionsOf(tx, id);
      await deleteOneTimeTokens(tx, id);
    }
    await userUpdated(tx, updated);
    if (next.disabled !== wasDisabled) await userDisabledOrEnabled(tx, updated);
    const details = { role: next.role, disabled: String(next.disabled), language: next.language };
    await recordAudit(tx, { resource: `users/${id}`, details });
    return updated;
  });
}

/** Whether there may be an administrator less by it. */
function mayTakeAdmin({ role, disabled }: UserChange): boolean {
  return disabled === true || (role !== undefined && role !== "ADMIN");
}

/**
 * Removes a user and what is known of them here, and says so, that the others do the same. They are told by a last mail.
 * NOT_FOUND if there is no such user; FAILED_PRECONDITION if no administrator would be left who may sign in.
 */
export function removeUser(db: Db, id: string, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    const admins = await lockAdmins(tx);
    const user = await lockUser(tx, id);
    if (user === undefined) throw noUser(id);
    keepAdmin(admins, user);
    await deleteUser(tx, id);
    await userDeleted(tx, id);
    await securityNotice(tx, user, "ACCOUNT_DELETED", now);
    await recordAudit(tx, { resource: `users/${id}` });
  });
}

function keepExternalRole(user: UserRow, role: UserRow["role"]): void {
  if (user.issuer === null || user.role === role) return;
  throw new AppError("failedPrecondition", "EXTERNAL_USER", "The role of this user comes from their identity provider. Change it there.");
}

function keepAdmin(admins: readonly string[], { id }: UserRow): void {
  if (admins.length > 1 || admins[0] !== id) return;
  throw new AppError("failedPrecondition", "LAST_ADMIN", "This is the last administrator. Make another one first.");
}

function noUser(id: string): AppError {
  return new AppError("notFound", "USER_NOT_FOUND", `No user ${id}.`);
}
