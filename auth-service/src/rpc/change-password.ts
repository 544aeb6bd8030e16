import type { ChangePasswordRequest, ChangePasswordResponse } from "@chargemesh/contracts/auth/v1/account_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { type Accounts, changePassword as change } from "../domain/account.ts";
import { checkOwnPassword } from "../domain/sign-in.ts";
import { userOf } from "./own-sessions.ts";
import { toSignedInUser } from "./signed-in-user.ts";

export const changePassword =
  (accounts: Accounts) =>
  async ({ password, newPassword }: ChangePasswordRequest, call: Call): Promise<ChangePasswordResponse> => {
    const user = await checkOwnPassword(accounts, userOf(call.caller).userId, password, call.signal);
    return { user: toSignedInUser(await change(accounts, user, newPassword, call.signal)) };
  };
