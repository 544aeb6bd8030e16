import type { ChangeEmailRequest, ChangeEmailResponse } from "@chargemesh/contracts/auth/v1/account_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { type Accounts, mailToNewEmail } from "../domain/account.ts";
import { checkOwnPassword } from "../domain/sign-in.ts";
import { userOf } from "./own-sessions.ts";

export const changeEmail =
  (accounts: Accounts) =>
  async ({ password, email }: ChangeEmailRequest, call: Call): Promise<ChangeEmailResponse> => {
    const user = await checkOwnPassword(accounts, userOf(call.caller).userId, password, call.signal);
    await mailToNewEmail(accounts, user, email);
    return {};
  };
