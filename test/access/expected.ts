import type { Level, Rpc } from "./contract.ts";

// Who may call what: the one place where the tests say what an access rule means.

export type Role = "DRIVER" | "OPERATOR" | "ADMIN";

/** What a caller shows, as far as access goes. */
export type Shown =
  | { kind: "nothing" }
  /** Something that is not good, and the reason for which it is refused. */
  | { kind: "faulty"; reason: string }
  | { kind: "user"; role: Role }
  /** For one charger: restricted to it, and the request is about no charger of its. */
  | { kind: "API key"; role: Role; scope: "all" | "read" | "none"; forOneCharger?: true }
  | { kind: "service"; name: string };

const mayCall: Record<Level, readonly Role[]> = {
  PUBLIC: ["DRIVER", "OPERATOR", "ADMIN"],
  DRIVER: ["DRIVER", "OPERATOR", "ADMIN"],
  OPERATOR: ["OPERATOR", "ADMIN"],
  ADMIN: ["ADMIN"],
  SERVICE: [],
};

/** What a handler refuses of an empty request although no field of it is required. */
const ownChecks: Readonly<Record<string, string>> = {
  // One of two fields.
  "/chargemesh.auth.v1.AccountService/RequestPasswordReset": "INVALID_ARGUMENT INVALID_FIELD",
};

/** How a call with an empty request ends: "OK", or the code and the reason of a refusal. What is shown is looked at first, then the rule, then the request. */
export function expectedEnd(rpc: Rpc, shown: Shown): string {
  // Also where nothing need be shown: a caller learns that what they have is not good.
  if (shown.kind === "faulty") return `UNAUTHENTICATED ${shown.reason}`;
  const refusal = rpc.level === "PUBLIC" ? undefined : refusalOf(rpc, shown);
  return refusal ?? (rpc.wantsFields ? "INVALID_ARGUMENT INVALID_FIELD" : (ownChecks[rpc.path] ?? "OK"));
}

/** Undefined if the rule lets them in. */
function refusalOf(rpc: Rpc, shown: Exclude<Shown, { kind: "faulty" }>): string | undefined {
  const denied = "PERMISSION_DENIED ACCESS_DENIED";
  if (shown.kind === "nothing") return "UNAUTHENTICATED TOKEN_MISSING";
  if (shown.kind === "service") return rpc.level === "SERVICE" && rpc.callers.includes(shown.name) ? undefined : denied;
  if (!mayCall[rpc.level].includes(shown.role)) return denied;
  if (shown.kind === "user") return undefined;
  if (rpc.signedIn) return "PERMISSION_DENIED SIGN_IN_REQUIRED";
  if (shown.scope === "none" || (shown.scope === "read" && !rpc.isSafe)) return "PERMISSION_DENIED SCOPE_MISSING";
  return shown.forOneCharger ? "PERMISSION_DENIED CHARGER_NOT_IN_SCOPE" : undefined;
}
