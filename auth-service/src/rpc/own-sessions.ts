import { AppError } from "@chargemesh/kit/errors";
import type { Caller, UserCaller } from "@chargemesh/kit/identity";
import type { Db } from "../db/schema.ts";
import { deleteSessionOf } from "../db/session.ts";
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
export async function endSessionOf(db: Db, userId: string, id: string): Promise<void> {
  if (!(await deleteSessionOf(db, userId, id))) throw new AppError("notFound", "SESSION_NOT_FOUND", `No session ${id}.`);
}
