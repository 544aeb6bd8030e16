import type { GetUserRequest, GetUserResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { AppError } from "@chargemesh/kit/errors";
import { userById } from "../db/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";

export const getUser =
  ({ db }: Pick<Deps, "db">) =>
  async ({ id }: GetUserRequest): Promise<GetUserResponse> => {
    const user = await userById(db, id);
    if (user === undefined) throw new AppError("notFound", "USER_NOT_FOUND", `No user ${id}.`);
    return { user: toUser(user) };
  };
