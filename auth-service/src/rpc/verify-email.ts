import type { VerifyEmailRequest, VerifyEmailResponse } from "@chargemesh/contracts/auth/v1/account_service";
import { type Accounts, verifyEmail as verify } from "../domain/account.ts";

export const verifyEmail =
  (accounts: Accounts) =>
  async ({ token }: VerifyEmailRequest): Promise<VerifyEmailResponse> => {
    await verify(accounts, token);
    return {};
  };
