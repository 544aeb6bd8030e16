import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { type EventEntry, enumOf, messageOf, shortName } from "./catalogue.ts";
import { scenes, values } from "./values.ts";

type Json = { [name: string]: unknown };

/** An event of this type as it is on the wire, made from what the protos say of it. */
export function exampleOf(entry: EventEntry): Json {
  const data = messageExample(entry.message, scenes[shortName(entry.message)] ?? {});
  const id = String(entry.subject.split(".").reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), data));
  return {
    specversion: "1.0",
    id: "0b8c2a4e-3f6d-4e55-8a0b-6d1f7a9c2e10",
    source: sourceOf(entry),
    type: entry.type,
    subject: entry.isFolded ? id.toLowerCase() : id,
    time: "2026-11-23T08:55:31.214Z",
    datacontenttype: "application/json",
    data,
  };
}

/** The service that tells of it. */
export function sourceOf({ type }: EventEntry): string {
  return `${type.split(".")[1]}-service`;
}

/** What a message holds: what the scene says of it, else what its fields hold anywhere. */
function messageExample(message: DescMessage, scene: Json): Json {
  const fields = message.fields.map((field) => {
    const { jsonName } = field;
    const said = scene[jsonName];
    if (!(jsonName in scene)) return [jsonName, fieldExample(message, field)] as const;
    const inner = messageOf(field);
    return [jsonName, inner !== undefined && isObject(said) ? messageExample(inner, said) : said] as const;
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function fieldExample(message: DescMessage, field: DescField): unknown {
  const own = `${message.name}.${field.jsonName}`;
  if (own in values) return values[own];
  const inner = nested(field);
  if (inner === undefined && field.jsonName in values) return values[field.jsonName];
  const one = enumOf(field)?.values.find(({ number }) => number > 0)?.name ?? inner;
  return field.fieldKind === "list" && one !== undefined ? [one] : one;
}

function nested(field: DescField): Json | undefined {
  const message = messageOf(field);
  return message?.typeName.startsWith("chargemesh.") ? messageExample(message, {}) : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
