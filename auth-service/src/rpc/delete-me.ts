import type { DeleteMeRequest, DeleteMeResponse } from "@chargemesh/contracts/auth/v1/account_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { Accounts } from "../domain/account.ts";
import { checkOwnPassword } from "../domain/sign-in.ts";
import { removeUser } from "../domain/user.ts";
import { userOf } from "./own-sessions.ts";

export const deleteMe =
  (accounts: Accounts) =>
  async ({ password }: DeleteMeRequest, call: Call): Promise<DeleteMeResponse> => {
    const user = await checkOwnPassword(accounts, userOf(call.caller).userId, password, call.signal);
    await removeUser(accounts.db, user.id, accounts.clock.now());
    return {};
  };
