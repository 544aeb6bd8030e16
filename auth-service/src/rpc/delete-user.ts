import type { DeleteUserRequest, DeleteUserResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { removeUser } from "../domain/user.ts";
import type { Deps } from "./index.ts";

export const deleteUser =
  ({ db, clock }: Pick<Deps, "db" | "clock">) =>
  async ({ id }: DeleteUserRequest): Promise<DeleteUserResponse> => {
    await removeUser(db, id, clock.now());
    return {};
  };
