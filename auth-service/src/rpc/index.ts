import type { AuditServiceService } from "@chargemesh/contracts/audit/v1/audit_service";
import type { SigningKeyServiceService } from "@chargemesh/contracts/auth/v1/signing_key_service";
import type { UserServiceService } from "@chargemesh/contracts/auth/v1/user_service";
import type { Clock } from "@chargemesh/kit/clock";
import type { Handlers } from "@chargemesh/kit/grpc-server";
import type { Db } from "../db/schema.ts";
import type { Passwords } from "../domain/passwords.ts";
import type { Sessions } from "../domain/session.ts";
import type { SigningKeys } from "../domain/signing-keys.ts";
import { getMe } from "./get-me.ts";
import { getUser } from "./get-user.ts";
import { listAuditEntries } from "./list-audit-entries.ts";
import { listSigningKeys } from "./list-signing-keys.ts";
import { listUsers } from "./list-users.ts";
import { logIn } from "./log-in.ts";
import { logOut } from "./log-out.ts";
import { refreshTokens } from "./refresh-tokens.ts";
import { signUp } from "./sign-up.ts";
import { updateUser } from "./update-user.ts";

/** What the rpcs on users work with. */
export interface Deps {
  db: Db;
  passwords: Passwords;
  sessions: Sessions;
  clock: Clock;
}

export function auditRpcs(deps: Pick<Deps, "db">): Handlers<AuditServiceService> {
  return { listAuditEntries: listAuditEntries(deps) };
}

export function userRpcs(deps: Deps): Handlers<UserServiceService> {
  return {
    signUp: signUp(deps),
    logIn: logIn(deps),
    refreshTokens: refreshTokens(deps),
    logOut: logOut(deps),
    getMe: getMe(deps),
    getUser: getUser(deps),
    listUsers: listUsers(deps),
    updateUser: updateUser(deps),
  };
}

export function signingKeyRpcs(keys: SigningKeys): Handlers<SigningKeyServiceService> {
  return { listSigningKeys: listSigningKeys(keys) };
}
