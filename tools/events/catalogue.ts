import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  getOption,
  isMessage,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getComments } from "@bufbuild/protoplugin";
import { descriptorSet } from "@chargemesh/contracts/descriptors";

// What the protos say of events: each message of an events.proto, its comment and its rule.

/** A message of an events.proto. */
export interface EventEntry {
  readonly message: DescMessage;
  /** The full name: "chargemesh.charger.v1.TransactionStarted". */
  readonly type: string;
  /** What it means, without the sentence on the aggregate. */
  readonly meaning: string;
  /** What it happened to, in the words of the proto: "charger". */
  readonly aggregate: string;
  /** Whether the id of that is in lower case in the subject. */
  readonly isFolded: boolean;
  /** Where in the JSON of its data the id of that is: "transaction.id". */
  readonly subject: string;
  readonly rule: Rule;
}

/** chargemesh.rules.v1.EventRule; its paths are into the JSON of the data. */
export interface Rule {
  readonly audience: "DRIVER" | "OPERATOR" | "ADMIN" | "SERVICE";
  readonly charger: string | undefined;
  readonly transaction: string | undefined;
  readonly user: string | undefined;
}

const AGGREGATE = /\s*The aggregate is the ([^.,]+)(, in lower case)?\./;
const AUDIENCES = ["DRIVER", "OPERATOR", "ADMIN", "SERVICE"] as const;

/** Every event there is, in the order of the protos. Throws on one that does not say what it happened to, or who may follow it. */
export function readCatalogue(): EventEntry[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSet)));
  const option = registry.getExtension("chargemesh.rules.v1.event");
  if (option?.fieldKind !== "message") throw new Error("the protos have no rule for events");
  const ruleOf = (message: DescMessage): Rule => {
    const declared = getOption(message, option);
    const rule = isMessage(declared) ? toJson(option.message, declared, { registry }) : undefined;
    return readRule(message, rule);
  };
  return [...registry.files]
    .filter(({ name }) => name.endsWith("/events"))
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"))
    .flatMap(({ messages }) => messages)
    .map((message) => readEvent(message, ruleOf(message)));
}

function readRule({ typeName }: DescMessage, declared: unknown): Rule {
  const fields: Partial<Record<string, unknown>> = typeof declared === "object" && declared !== null ? { ...declared } : {};
  const audience = AUDIENCES.find((one) => one === fields.audience);
  if (audience === undefined) throw new Error(`${typeName}: does not say who may follow it`);
  const path = (value: unknown): string | undefined => (typeof value === "string" ? jsonPath(value) : undefined);
  return { audience, charger: path(fields.chargerField), transaction: path(fields.transactionField), user: path(fields.userField) };
}

function readEvent(message: DescMessage, rule: Rule): EventEntry {
  const comment = commentOf(message);
  const [, aggregate, folded] = AGGREGATE.exec(comment) ?? [];
  if (aggregate === undefined) throw new Error(`${message.typeName}: its comment does not say what the aggregate is`);
  return {
    message,
    type: message.typeName,
    meaning: comment.replace(AGGREGATE, ""),
    aggregate,
    isFolded: folded !== undefined,
    subject: subjectOf(message, aggregate, rule),
    rule,
  };
}

/** The id of the aggregate: where the rule says that the charger, the transaction or the user is, else in what the event is of. */
function subjectOf({ fields }: DescMessage, aggregate: string, { charger, transaction, user }: Rule): string {
  const said = new Map(Object.entries({ charger, transaction, user })).get(aggregate);
  const [first] = fields;
  if (said !== undefined || first === undefined) return said ?? "";
  if (first.fieldKind !== "message") return first.jsonName;
  const id = first.message.fields.find(({ name }) => name === "id" || name === first.name);
  return `${first.jsonName}.${id?.jsonName ?? ""}`;
}

/** A comment of a proto, one line a paragraph. */
export function commentOf(desc: DescMessage | DescField | DescEnum | DescEnum["values"][number]): string {
  return (getComments(desc).leading ?? "")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s*\n\s*/g, " ").trim())
    .join("\n\n");
}

function jsonPath(path: string): string {
  return path.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** The name of a message or an enum without its package: "Transaction.Flag". */
export function shortName({ typeName }: DescMessage | DescEnum): string {
  return typeName.replace(/^(?:[a-z0-9]+\.)+/, "");
}

/** What a field holds, if that is a message: its own, or those of its list. */
export function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
}

/** What a field holds, if that is one of an enum, or a list of them. */
export function enumOf(field: DescField): DescEnum | undefined {
  return field.fieldKind === "enum" || field.fieldKind === "list" ? field.enum : undefined;
}

/** All messages of ours that stand in these events, or have an enum that does, by name. */
export function messagesIn(events: readonly EventEntry[]): DescMessage[] {
  const found = new Set<DescMessage>();
  const visit = ({ fields }: DescMessage): void => {
    for (const message of fields.map((field) => messageOf(field) ?? enumOf(field)?.parent)) {
      if (message === undefined || found.has(message) || !message.typeName.startsWith("chargemesh.")) continue;
      found.add(message);
      visit(message);
    }
  };
  for (const { message } of events) visit(message);
  for (const { message } of events) found.delete(message);
  return [...found].toSorted((a, b) => shortName(a).localeCompare(shortName(b), "en"));
}
