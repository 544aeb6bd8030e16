import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import type { Caller, UserCaller } from "@chargemesh/kit/identity";
import { transact } from "@chargemesh/kit/postgres";
import type { Db } from "../db/schema.ts";
import { deleteSessionOf, deleteSessionsOf } from "../db/session.ts";
import { userById } from "../db/user.ts";

/** The caller, whom the access rule has held to be a user. */
export function userOf(caller: Caller): UserCaller {
  if (caller.kind !== "user") throw new Error(`a caller that is ${caller.kind} came past the access rule`);
  return caller;
}

/** NOT_FOUND if there is no such user. */
export async function mustExist(db: Db, userId: string): Promise<void> {
  if ((await userById(db, userId)) === undefined) throw new AppError("notFound", "USER_NOT_FOUND", `No user ${userId}.`);
}

/** Ends a session. NOT_FOUND if it is not one of this user's. */
export function endSessionOf(db: Db, userId: string, id: string): Promise<void> {
  return transact(db, async (tx) => {
    if (!(await deleteSessionOf(tx, userId, id))) throw new AppError("notFound", "SESSION_NOT_FOUND", `No session ${id}.`);
    await recordAudit(tx, { resource: `users/${userId}`, details: { session: id } });
  });
}

/** Ends all sessions of a user, and answers how many there were. */
export function endSessionsOf(db: Db, userId: string): Promise<number> {
  return transact(db, async (tx) => {
    const count = await deleteSessionsOf(tx, userId);
    await recordAudit(tx, { resource: `users/${userId}`, details: { sessions: String(count) } });
    return count;
  });
}
