import type { Access } from "./access-rule.ts";
import { coversScope } from "./api-keys.ts";
import { AppError } from "./errors.ts";
import type { Caller, Role, UserCaller } from "./identity.ts";

const allowed: Record<Access["level"], readonly Role[]> = {
  PUBLIC: ["DRIVER", "OPERATOR", "ADMIN"],
  DRIVER: ["DRIVER", "OPERATOR", "ADMIN"],
  OPERATOR: ["OPERATOR", "ADMIN"],
  ADMIN: ["ADMIN"],
  SERVICE: [],
};

/** Throws UNAUTHENTICATED or PERMISSION_DENIED unless `caller` may do with `request` what needs `access`. */
export function checkAccess(access: Access, caller: Caller, request: object): void {
  if (access.level === "PUBLIC") return;
  if (caller.kind === "anonymous") {
    const needed = "This needs an access token or an API key: authorization: Bearer …";
    const message = access.level === "SERVICE" ? "This is for services, and nothing proves that one calls." : needed;
    throw new AppError("unauthenticated", "TOKEN_MISSING", message);
  }
  const may =
    caller.kind === "user"
      ? allowed[access.level].includes(caller.role)
      : access.level === "SERVICE" && access.callers.includes(caller.name);
  if (!may) throw new AppError("permissionDenied", "ACCESS_DENIED", `This is for ${audienceOf(access)}.`);
  if (caller.kind === "user") checkApiKey(access, caller, request);
}

/** An API key may do what its role may, within its scopes and at its chargers, and nothing that is for people alone. */
function checkApiKey(access: Access, { credential }: UserCaller, request: object): void {
  if (credential.kind !== "apiKey") return;
  if (access.signedIn)
    throw new AppError("permissionDenied", "SIGN_IN_REQUIRED", "This is for people who have signed in, and not for API keys.");
  if (!coversScope(credential.scopes, access.scope))
    throw new AppError("permissionDenied", "SCOPE_MISSING", `This needs an API key with the scope ${access.scope}.`);
  if (credential.chargerIds.length === 0) return;
  const chargerId = access.chargerOf?.(request);
  if (typeof chargerId !== "string" || !credential.chargerIds.includes(chargerId))
    throw new AppError(
      "permissionDenied",
      "CHARGER_NOT_IN_SCOPE",
      "This API key is restricted to some chargers, and this is not about one.",
    );
}

function audienceOf({ level }: Access): string {
  return { PUBLIC: "anybody", DRIVER: "users", OPERATOR: "operators", ADMIN: "administrators", SERVICE: "services" }[level];
}
