import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { streamOf } from "@chargemesh/kit/event-streams";
import { commentOf, type EventEntry, enumOf, messageOf, messagesIn, shortName } from "./catalogue.ts";
import { exampleOf, sourceOf } from "./example.ts";
import { aboutEvents } from "./text.ts";

// docs/events.md: what there is to follow, from the protos.

const audiences = {
  DRIVER: "operators, administrators, and the user it is about",
  OPERATOR: "operators, administrators",
  ADMIN: "administrators",
  SERVICE: "services",
} as const;

const { DOUBLE, FLOAT, INT32, UINT32, BOOL, STRING, BYTES } = ScalarType;
const scalars: ReadonlyMap<ScalarType, string> = new Map([
  [DOUBLE, "number"],
  [FLOAT, "number"],
  [INT32, "number"],
  [UINT32, "number"],
  [BOOL, "boolean"],
  [STRING, "text"],
  [BYTES, "bytes in base64"],
]);
/** 64 bits do not fit into a number of JavaScript, so their JSON is text. */
const WIDE = "whole number, as text";

const wellKnown: Readonly<Record<string, string>> = { "google.protobuf.Timestamp": "time", "google.protobuf.Struct": "object" };

/** The whole page. Throws if two things on it would share a heading. */
export function renderPage(events: readonly EventEntry[]): string {
  const open = events.filter(({ rule }) => rule.audience !== "SERVICE");
  const messages = messagesIn(open);
  const headings = [...open.map(({ message }) => message), ...messages].map(shortName);
  const twice = headings.filter((name, at) => headings.indexOf(name) !== at);
  if (twice.length > 0) throw new Error(`two things are called ${twice.join(", ")}`);
  const byPackage = [...Map.groupBy(open, ({ message }) => message.file.proto.package)];
  const blocks = [
    aboutEvents(open),
    "## All events",
    ...byPackage.flatMap(([, entries]) => summary(entries)),
    ...byPackage.flatMap(([of, entries]) => [`## Events of ${of}`, wires(of), ...entries.flatMap(section)]),
    "## What is in them",
    ...messages.flatMap(messageSection),
    ...within(events.filter(({ rule }) => rule.audience === "SERVICE")),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function summary(entries: readonly EventEntry[]): string[] {
  const rows = entries.map(({ message, meaning, rule }) => {
    const [first = ""] = meaning.split(/(?<=\.) /);
    return `| ${link(message)} | ${cell(first)} | ${audiences[rule.audience]} |`;
  });
  const [source = ""] = entries.map(sourceOf);
  return [table(`| ${source} | what happened | who may follow it |`, rows)];
}

function wires(of: string): string {
  return `In NATS: subject \`${of}.{event}.{subject in base64url}\`, stream \`${streamOf(of).name}\`.`;
}

function section(entry: EventEntry): string[] {
  const { message, type, meaning, aggregate, isFolded, subject, rule } = entry;
  const about = (["charger", "transaction", "user"] as const).flatMap((what) => {
    const path = rule[what];
    return path === undefined ? [] : [`${what} \`${path}\``];
  });
  const facts = [
    `| type | \`${type}\` |`,
    `| subject | the id of the ${aggregate}, \`${subject}\`${isFolded ? ", in lower case" : ""} |`,
    `| about | ${about.join(", ") || "no charger, transaction or user"} |`,
    `| who may follow it | ${audiences[rule.audience]} |`,
  ];
  return [
    `### ${shortName(message)}`,
    linked(meaning),
    table("| | |", facts),
    fieldTable(message),
    ...enums(message),
    ["<details><summary>Example</summary>", "", "```json", JSON.stringify(exampleOf(entry), null, 2), "```", "", "</details>"].join("\n"),
  ];
}

function messageSection(message: DescMessage): string[] {
  const meaning = linked(commentOf(message));
  return [`### ${shortName(message)}`, ...(meaning === "" ? [] : [meaning]), fieldTable(message), ...enums(message)];
}

function fieldTable({ fields }: DescMessage): string {
  const rows = fields.map((field) => `| \`${field.jsonName}\` | ${typeOf(field)} | ${cell(commentOf(field))} |`);
  return table("| field | type | |", rows);
}

/** `head` and `rows` have their bars. */
function table(head: string, rows: readonly string[]): string {
  return [head, head.replace(/[^|]+/g, "---"), ...rows].join("\n");
}

function typeOf(field: DescField): string {
  if (field.fieldKind === "map") return "object";
  const message = messageOf(field);
  const one = message === undefined ? (enumLink(field) ?? scalarOf(field)) : (wellKnown[message.typeName] ?? link(message));
  return field.fieldKind === "list" ? `list of ${one}` : one;
}

function enumLink(field: DescField): string | undefined {
  const desc = enumOf(field);
  if (desc === undefined) return undefined;
  const name = shortName(desc);
  return desc.parent === undefined || desc.parent === field.parent ? `\`${name}\`` : `[${name}](${anchor(desc.parent)})`;
}

function scalarOf(field: DescField): string {
  const type = field.fieldKind === "scalar" || field.fieldKind === "list" ? field.scalar : undefined;
  return type === undefined ? "" : (scalars.get(type) ?? WIDE);
}

/** The enums of a message and those of nobody that it holds, each value with its comment. Those of others are with them. */
function enums({ nestedEnums, fields }: DescMessage): string[] {
  const ofNobody = fields.flatMap((field) => enumOf(field) ?? []).filter(({ parent }) => parent === undefined);
  return [...nestedEnums, ...ofNobody].map(enumTable);
}

function enumTable(desc: DescEnum): string {
  const known = desc.values.filter(({ number }) => number > 0);
  const rows = known.map((value) => `| \`${value.name}\` | ${cell(commentOf(value))} |`);
  return table(`| \`${shortName(desc)}\` | ${cell(commentOf(desc))} |`, rows);
}

function within(entries: readonly EventEntry[]): string[] {
  const rows = entries.map(({ type, meaning }) => `| \`${type}\` | ${cell(meaning)} |`);
  return ["## Within the mesh", "These never leave it: no stream of events and no webhook has them.", table("| event | |", rows)];
}

function link(message: DescMessage): string {
  return `[${shortName(message)}](${anchor(message)})`;
}

function anchor(message: DescMessage): string {
  return `#${shortName(message).toLowerCase().replaceAll(".", "")}`;
}

/** Fields in the words of protos become those of their JSON. */
function linked(text: string): string {
  return text.replace(/\b([a-z]+(?:_[a-z0-9]+)+)\b/g, (_match, name: string) => `\`${jsonName(name)}\``);
}

function jsonName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

function cell(text: string): string {
  return linked(text).replaceAll("|", "\\|").replace(/\n+/g, " ");
}
