import type { AuditServiceService } from "@chargemesh/contracts/audit/v1/audit_service";
import type { AccountServiceService } from "@chargemesh/contracts/auth/v1/account_service";
import type { SigningKeyServiceService } from "@chargemesh/contracts/auth/v1/signing_key_service";
import type { UserServiceService } from "@chargemesh/contracts/auth/v1/user_service";
import type { Handlers } from "@chargemesh/kit/grpc-server";
import type { Accounts } from "../domain/account.ts";
import type { SigningKeys } from "../domain/signing-keys.ts";
import { changeEmail } from "./change-email.ts";
import { changePassword } from "./change-password.ts";
import { deleteMe } from "./delete-me.ts";
import { deleteUser } from "./delete-user.ts";
import { getMe } from "./get-me.ts";
import { getUser } from "./get-user.ts";
import { listAuditEntries } from "./list-audit-entries.ts";
import { listSigningKeys } from "./list-signing-keys.ts";
import { listUsers } from "./list-users.ts";
import { logIn } from "./log-in.ts";
import { logOut } from "./log-out.ts";
import { refreshTokens } from "./refresh-tokens.ts";
import { requestEmailVerification } from "./request-email-verification.ts";
import { requestPasswordReset } from "./request-password-reset.ts";
import { resetPassword } from "./reset-password.ts";
import { rotateSigningKey } from "./rotate-signing-key.ts";
import { signUp } from "./sign-up.ts";
import { updateMe } from "./update-me.ts";
import { updateUser } from "./update-user.ts";
import { verifyEmail } from "./verify-email.ts";

/** What the rpcs on users work with. */
export type Deps = Accounts;

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
    updateMe: updateMe(deps),
    getUser: getUser(deps),
    listUsers: listUsers(deps),
    updateUser: updateUser(deps),
    deleteUser: deleteUser(deps),
  };
}

export function accountRpcs(deps: Deps): Handlers<AccountServiceService> {
  return {
    requestPasswordReset: requestPasswordReset(deps),
    resetPassword: resetPassword(deps),
    verifyEmail: verifyEmail(deps),
    requestEmailVerification: requestEmailVerification(deps),
    changeEmail: changeEmail(deps),
    changePassword: changePassword(deps),
    deleteMe: deleteMe(deps),
  };
}

export function signingKeyRpcs(keys: SigningKeys): Handlers<SigningKeyServiceService> {
  return { listSigningKeys: listSigningKeys(keys), rotateSigningKey: rotateSigningKey(keys) };
}
