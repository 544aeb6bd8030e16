import type { RequestEmailVerificationResponse } from "@chargemesh/contracts/auth/v1/account_service";
import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { userById } from "../db/user.ts";
import { type Accounts, mailVerification } from "../domain/account.ts";
import { userOf } from "./own-sessions.ts";

export const requestEmailVerification =
  (accounts: Accounts) =>
  async (_request: object, call: Call): Promise<RequestEmailVerificationResponse> => {
    const user = await userById(accounts.db, userOf(call.caller).userId);
    if (user === undefined) throw new AppError("unauthenticated", "TOKEN_INVALID", "The user of this access token is no more.");
    if (user.email === null) throw new AppError("failedPrecondition", "EMAIL_MISSING", "The account has no email address.");
    if (user.email_verify_time !== null) throw new AppError("failedPrecondition", "EMAIL_VERIFIED", "The email address is verified.");
    await mailVerification(accounts, user);
    return {};
  };
