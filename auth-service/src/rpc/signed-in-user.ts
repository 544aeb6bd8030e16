import type { SignedInUser } from "@chargemesh/contracts/auth/v1/user";
import type { SignedIn } from "../domain/session.ts";

/** A user who has just proved who they are, as the contract shows them. */
export function toSignedInUser({ user, ...tokens }: SignedIn): SignedInUser {
  const { id, username, email, role } = user;
  return { id, username, email: email ?? "", role, ...tokens };
}
