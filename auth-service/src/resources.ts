import type { User } from "@chargemesh/contracts/auth/v1/user";
import type { UserRow } from "./db/user.ts";

/** A user as the contract shows them. */
export function toUser({ id, username, email, role, create_time }: UserRow): User {
  return { id, username, email: email ?? "", role, createTime: create_time };
}
