import type { GetMeRequest, GetMeResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { userById } from "../db/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";

export const getMe =
  ({ db }: Pick<Deps, "db">) =>
  async (_request: GetMeRequest, { caller }: Call): Promise<GetMeResponse> => {
    const user = caller.kind === "user" ? await userById(db, caller.userId) : undefined;
    if (user === undefined) throw new AppError("unauthenticated", "TOKEN_INVALID", "The user of this access token is no more.");
    return { user: toUser(user) };
  };
