import { randomUUID } from "node:crypto";
import { AppError } from "@chargemesh/kit/errors";
import { transact, violates } from "@chargemesh/kit/postgres";
import { isEmail } from "@chargemesh/kit/rules";
import type { Transaction } from "kysely";
import type { Database, Db } from "../db/schema.ts";
import { insertUser, lockAdmins, lockUser, setRole, type UserRow } from "../db/user.ts";
import { userCreated, userUpdated } from "../events.ts";

/** What usernames are compared by. Computed here and not in Postgres, whose lower() knows only the letters of its locale. */
export function usernameKey(username: string): string {
  // By way of upper case, so that letters with two lower forms are one: σ and ς, ss and ß.
  return username.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** A user who is not stored yet. A username that is an address is also the email, unless another one is given. */
export function newUser(username: string, email: string, role: UserRow["role"], now: Date): UserRow {
  const name = username.normalize("NFC");
  const address = email === "" && isEmail(name) ? name : email;
  return { id: randomUUID(), username: name, email: address === "" ? null : address, role, create_time: now };
}

/** Stores a user, and says so. ALREADY_EXISTS if the username is taken. */
export async function createUser(tx: Transaction<Database>, user: UserRow, passwordHash: string): Promise<void> {
  const row = { ...user, username_key: usernameKey(user.username), password_hash: passwordHash };
  await userCreated(tx, await insertUser(tx, row).catch(asTaken));
}

function asTaken(err: unknown): never {
  if (!violates(err, "user_username_must_be_unique")) throw err;
  const violations = [{ field: "username", description: "is taken" }];
  throw new AppError("alreadyExists", "USERNAME_TAKEN", "This username is taken.", { cause: err, violations });
}

/**
 * Gives a user another role, and says so if it is another. Access tokens in use keep the old one until they end, five minutes at most;
 * the next refresh brings the new one, so sessions need not end.
 * NOT_FOUND if there is no such user; FAILED_PRECONDITION if no administrator would be left.
 */
export function changeRole(db: Db, id: string, role: UserRow["role"]): Promise<UserRow> {
  return transact(db, async (tx) => {
    const admins = role === "ADMIN" ? [] : await lockAdmins(tx);
    const user = await lockUser(tx, id);
    if (user === undefined) throw new AppError("notFound", "USER_NOT_FOUND", `No user ${id}.`);
    if (user.role === role) return user;
    if (user.role === "ADMIN" && admins.length < 2) {
      throw new AppError("failedPrecondition", "LAST_ADMIN", "This is the last administrator. Make another one first.");
    }
    const updated = await setRole(tx, id, role);
    await userUpdated(tx, updated);
    return updated;
  });
}
