import type { ResetPasswordRequest, ResetPasswordResponse } from "@chargemesh/contracts/auth/v1/account_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { type Accounts, resetPassword as reset } from "../domain/account.ts";

export const resetPassword =
  (accounts: Accounts) =>
  async ({ token, newPassword }: ResetPasswordRequest, { signal }: Call): Promise<ResetPasswordResponse> => {
    await reset(accounts, token, newPassword, signal);
    return {};
  };
