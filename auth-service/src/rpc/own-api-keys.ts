import { AppError } from "@chargemesh/kit/errors";
import type { Caller } from "@chargemesh/kit/identity";
import { userOf } from "./own-sessions.ts";

/** Whose keys a caller sees: their own; undefined for administrators, who see everybody's. */
export function ownerSeenBy(caller: Caller): string | undefined {
  const { role, userId } = userOf(caller);
  return role === "ADMIN" ? undefined : userId;
}

export function noApiKey(id: string): AppError {
  return new AppError("notFound", "API_KEY_NOT_FOUND", `No API key ${id}.`);
}
