import protobuf from "protobufjs";
import { textAt } from "./text-field.ts";

/** Who may follow events of a type: `chargemesh.rules.v1.EventRule`. SERVICE is nobody outside the mesh. */
export type Audience = "DRIVER" | "OPERATOR" | "ADMIN" | "SERVICE";

/** A message of an events.proto, and what its events are about. */
export interface EventType {
  /** The full name: "chargemesh.charger.v1.TransactionStarted". */
  readonly type: string;
  readonly audience: Audience;
  /** Each reads the data of an event, in proto3 JSON; undefined if it is about none. */
  chargerOf(data: object): string | undefined;
  transactionOf(data: object): string | undefined;
  userOf(data: object): string | undefined;
}

const EVENT = "(chargemesh.rules.v1.event)";
const AUDIENCES = ["DRIVER", "OPERATOR", "ADMIN", "SERVICE"] as const;

/** The types of all messages in `root` that are events, by full name. Throws on an event in an events.proto without a rule, or with one that we do not know. */
export function readEventTypes(root: protobuf.Root): ReadonlyMap<string, EventType> {
  const types = new Map<string, EventType>();
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const nested of namespace.nestedArray) {
      if (nested instanceof protobuf.Type && nested.filename?.endsWith("/events.proto")) {
        const eventType = readEventType(nested);
        types.set(eventType.type, eventType);
      } else if (nested instanceof protobuf.Namespace) visit(nested);
    }
  };
  visit(root);
  return types;
}

function readEventType(message: protobuf.Type): EventType {
  const type = message.fullName.slice(1);
  const declared: unknown = message.parsedOptions?.find((option: Record<string, unknown>) => EVENT in option)?.[EVENT];
  if (typeof declared !== "object" || declared === null) throw new Error(`${type}: has no ${EVENT}`);
  const { audience, charger_field, transaction_field, user_field, ...others }: Record<string, unknown> = { ...declared };
  const known = AUDIENCES.find((one) => one === audience);
  if (known === undefined || Object.keys(others).length > 0) throw new Error(`${type}: unknown event rule ${JSON.stringify(declared)}`);
  const reader = (path: unknown): ((data: object) => string | undefined) => {
    if (path === undefined) return () => undefined;
    const read = textAt(type, message, String(path));
    return (data) => {
      const value = read(data);
      return typeof value === "string" && value !== "" ? value : undefined;
    };
  };
  return { type, audience: known, chargerOf: reader(charger_field), transactionOf: reader(transaction_field), userOf: reader(user_field) };
}
