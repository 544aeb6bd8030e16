import type protobuf from "protobufjs";
import { textAt } from "./text-field.ts";

/** Who may call an rpc: `chargemesh.rules.v1.Access`. */
export interface Access {
  level: "PUBLIC" | "DRIVER" | "OPERATOR" | "ADMIN" | "SERVICE";
  callers: readonly string[];
  /** Whether only people may call, and no API key. */
  signedIn: boolean;
  /** What an API key must have to call: "charger.transactions:read". */
  scope: string;
  /** The charger that a request is about; undefined if the rpc names none. */
  chargerOf: ((request: object) => unknown) | undefined;
}

const LEVELS = ["PUBLIC", "DRIVER", "OPERATOR", "ADMIN", "SERVICE"] as const;
const ACCESS = "(chargemesh.rules.v1.access)";

/** The access rule of an rpc. Throws if it has none, or one that we do not know. */
export function readAccess(path: string, method: protobuf.Method, request: protobuf.Type): Access {
  const declared: unknown = method.parsedOptions?.find((option: Record<string, unknown>) => ACCESS in option)?.[ACCESS];
  if (typeof declared !== "object" || declared === null) throw new Error(`${path}: has no ${ACCESS}`);
  const { level, callers = [], signed_in = false, charger_field, ...others }: Record<string, unknown> = { ...declared };
  const known = LEVELS.find((one) => one === level);
  if (known === undefined || typeof signed_in !== "boolean" || Object.keys(others).length > 0) {
    throw new Error(`${path}: unknown access rule ${JSON.stringify(declared)}`);
  }
  const names = [callers].flat().map(String);
  if ((known === "SERVICE") !== names.length > 0) throw new Error(`${path}: SERVICE, and nothing else, names its callers`);
  return {
    level: known,
    callers: names,
    signedIn: signed_in,
    scope: scopeOf(method.parent?.fullName ?? "", method.getOption("idempotency_level")),
    chargerOf: charger_field === undefined ? undefined : textAt(path, request, String(charger_field)),
  };
}

/**
 * The scope of an rpc, by the full name of its service: the package without ours and its version, the noun of the service, and whether it
 * changes anything. What has no side effects in chargemesh.charger.v1.TransactionService is "charger.transactions:read".
 */
export function scopeOf(service: string, idempotencyLevel: unknown): string {
  const names = service.split(".").filter((name) => name !== "" && name !== "chargemesh" && !/^v\d+\w*$/.test(name));
  const noun = (names.pop() ?? "").replace(/Service$/, "");
  const nouns = `${noun.charAt(0).toLowerCase()}${noun.slice(1).replace(/y$/, "ie")}s`;
  return `${names.join(".")}.${nouns}:${idempotencyLevel === "NO_SIDE_EFFECTS" ? "read" : "write"}`;
}
