import type { Level, Rpc } from "./contract.ts";

// Who may call what: the one place where the tests say what an access rule means.

export type Role = "DRIVER" | "OPERATOR" | "ADMIN";

/** What a caller shows, as far as access goes. */
export type Shown =
  | { kind: "nothing" }
  /** Something that is not good, and the reason for which it is refused. */
  | { kind: "faulty"; reason: string }
  | { kind: "user"; role: Role }
  | { kind: "service"; name: string };

const mayCall: Record<Level, readonly Role[]> = {
  PUBLIC: ["DRIVER", "OPERATOR", "ADMIN"],
  DRIVER: ["DRIVER", "OPERATOR", "ADMIN"],
  OPERATOR: ["OPERATOR", "ADMIN"],
  ADMIN: ["ADMIN"],
  SERVICE: [],
};

/** How a call with an empty request ends: "OK", or the code and the reason of a refusal. What is shown is looked at first, then the rule, then the request. */
export function expectedEnd(rpc: Rpc, shown: Shown): string {
  // Also where nothing need be shown: a caller learns that what they have is not good.
  if (shown.kind === "faulty") return `UNAUTHENTICATED ${shown.reason}`;
  if (!mayEnter(rpc, shown)) return shown.kind === "nothing" ? "UNAUTHENTICATED TOKEN_MISSING" : "PERMISSION_DENIED ACCESS_DENIED";
  return rpc.wantsFields ? "INVALID_ARGUMENT INVALID_FIELD" : "OK";
}

function mayEnter({ level, callers }: Rpc, shown: Exclude<Shown, { kind: "faulty" }>): boolean {
  if (level === "PUBLIC") return true;
  if (shown.kind === "user") return mayCall[level].includes(shown.role);
  return shown.kind === "service" && level === "SERVICE" && callers.includes(shown.name);
}
