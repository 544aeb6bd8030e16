import { User_Role } from "@chargemesh/contracts/auth/v1/user";
import type { UpdateUserRequest, UpdateUserResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { badRequest, type FieldViolation } from "@chargemesh/kit/errors";
import { changeRole } from "../domain/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";

export const updateUser =
  ({ db }: Pick<Deps, "db">) =>
  async ({ user, updateMask = [] }: UpdateUserRequest): Promise<UpdateUserResponse> => {
    const { id = "", role = User_Role.ROLE_UNSPECIFIED } = user ?? {};
    const violations: FieldViolation[] = [];
    if (id === "") violations.push({ field: "user.id", description: "is required" });
    if (updateMask.length === 0) violations.push({ field: "update_mask", description: "is required" });
    if (updateMask.some((path) => path !== "role")) violations.push({ field: "update_mask", description: "may name role only" });
    if (role === User_Role.ROLE_UNSPECIFIED || role === User_Role.UNRECOGNIZED) {
      throw badRequest([...violations, { field: "user.role", description: "is required" }]);
    }
    if (violations.length > 0) throw badRequest(violations);
    return { user: toUser(await changeRole(db, id, role)) };
  };
