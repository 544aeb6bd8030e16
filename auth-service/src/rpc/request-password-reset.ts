import type { RequestPasswordResetRequest, RequestPasswordResetResponse } from "@chargemesh/contracts/auth/v1/account_service";
import { badRequest } from "@chargemesh/kit/errors";
import { type Accounts, requestReset } from "../domain/account.ts";

export const requestPasswordReset =
  (accounts: Accounts) =>
  async ({ username, email }: RequestPasswordResetRequest): Promise<RequestPasswordResetResponse> => {
    if ((username === "") === (email === "")) throw badRequest([{ field: "username", description: "or email is required, and not both" }]);
    await requestReset(accounts, username === "" ? { email } : { username });
    return {};
  };
