import type { UpdateMeRequest, UpdateMeResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { badRequest, type FieldViolation } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { offeredLanguage } from "../domain/language.ts";
import { updateUser } from "../domain/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";
import { userOf } from "./own-sessions.ts";

export const updateMe =
  ({ db, clock }: Pick<Deps, "db" | "clock">) =>
  async ({ user, updateMask = [] }: UpdateMeRequest, { caller }: Call): Promise<UpdateMeResponse> => {
    const violations: FieldViolation[] = [];
    if (updateMask.length === 0) violations.push({ field: "update_mask", description: "is required" });
    if (updateMask.some((path) => path !== "language")) violations.push({ field: "update_mask", description: "may name language only" });
    if (violations.length > 0) throw badRequest(violations);
    const language = offeredLanguage(user?.language ?? "", "user.language");
    return { user: toUser(await updateUser(db, userOf(caller).userId, { language }, clock.now())) };
  };
