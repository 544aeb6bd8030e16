import type { SignedInUser, User } from "@chargemesh/contracts/auth/v1/user";
import type { UserRow } from "./db/user.ts";
import type { SignedIn } from "./domain/session.ts";

/** A user as the contract shows them. */
export function toUser({ id, username, email, role, create_time }: UserRow): User {
  return { id, username, email: email ?? "", role, createTime: create_time };
}

/** A user who has just proved who they are, as the contract shows them. */
export function toSignedInUser({ user, ...tokens }: SignedIn): SignedInUser {
  const { id, username, email, role } = user;
  return { id, username, email: email ?? "", role, ...tokens };
}
