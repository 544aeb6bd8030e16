import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";

/** The id of the user who calls. PERMISSION_DENIED for services and programs, who have no account. */
export function ownUserId({ caller }: Pick<Call, "caller">): string {
  if (caller.kind === "user") return caller.userId;
  throw new AppError("permissionDenied", "ACCESS_DENIED", "This is for users.");
}
