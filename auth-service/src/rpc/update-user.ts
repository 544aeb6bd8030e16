import { User_Role } from "@chargemesh/contracts/auth/v1/user";
import type { UpdateUserRequest, UpdateUserResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { badRequest, type FieldViolation } from "@chargemesh/kit/errors";
import { offeredLanguage } from "../domain/language.ts";
import { type UserChange, updateUser as update } from "../domain/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";

const MAY_NAME = ["role", "disabled", "language"];

export const updateUser =
  ({ db, clock }: Pick<Deps, "db" | "clock">) =>
  async ({ user, updateMask = [] }: UpdateUserRequest): Promise<UpdateUserResponse> => {
    const { id = "", role = User_Role.ROLE_UNSPECIFIED, disabled = false, language = "" } = user ?? {};
    const violations: FieldViolation[] = [];
    if (id === "") violations.push({ field: "user.id", description: "is required" });
    if (updateMask.length === 0) violations.push({ field: "update_mask", description: "is required" });
    if (updateMask.some((path) => !MAY_NAME.includes(path)))
      violations.push({ field: "update_mask", description: "may name role, disabled and language only" });
    const change: UserChange = updateMask.includes("disabled") ? { disabled } : {};
    if (updateMask.includes("role")) {
      if (role === User_Role.ROLE_UNSPECIFIED || role === User_Role.UNRECOGNIZED)
        violations.push({ field: "user.role", description: "is required" });
      else change.role = role;
    }
    if (updateMask.includes("language")) change.language = offeredLanguage(language, "user.language");
    if (violations.length > 0) throw badRequest(violations);
    return { user: toUser(await update(db, id, change, clock.now())) };
  };
