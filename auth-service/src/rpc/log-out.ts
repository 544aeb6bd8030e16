import type { LogOutRequest, LogOutResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { endSession } from "../domain/session.ts";
import type { Deps } from "./index.ts";

export const logOut =
  ({ db }: Pick<Deps, "db">) =>
  async ({ refreshToken }: LogOutRequest): Promise<LogOutResponse> => {
    await endSession(db, refreshToken);
    return {};
  };
