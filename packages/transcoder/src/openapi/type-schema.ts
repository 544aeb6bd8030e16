import type { EnumType, Scalar } from "../schema.ts";
import { wrappers } from "../well-known-in.ts";
import type { JsonSchema } from "./document.ts";
import type { Reflection } from "./reflection.ts";

const integer64 = (signed: boolean): JsonSchema => ({
  type: "string",
  format: signed ? "int64" : "uint64",
  pattern: signed ? "^-?[0-9]{1,19}$" : "^[0-9]{1,20}$",
});
const int32: JsonSchema = { type: "integer", format: "int32", minimum: -2_147_483_648, maximum: 2_147_483_647 };
const uint32: JsonSchema = { type: "integer", format: "uint32", minimum: 0, maximum: 4_294_967_295 };
/** NaN and the infinities have no form in JSON but their names. */
const floating = (format: "double" | "float"): JsonSchema => ({
  anyOf: [
    { type: "number", format },
    { type: "string", enum: ["NaN", "Infinity", "-Infinity"] },
  ],
});

/** The scalars in the JSON that proto3 gives them. A reader also takes numbers as strings, and integers of 64 bits as numbers. */
export function scalarSchema(scalar: Scalar): JsonSchema {
  switch (scalar) {
    case "double":
    case "float":
      return floating(scalar);
    case "int32":
    case "sint32":
    case "sfixed32":
      return int32;
    case "uint32":
    case "fixed32":
      return uint32;
    case "int64":
    case "sint64":
    case "sfixed64":
      return integer64(true);
    case "uint64":
    case "fixed64":
      return integer64(false);
    case "bool":
      return { type: "boolean" };
    case "string":
      return { type: "string" };
    case "bytes":
      return { type: "string", format: "byte", contentEncoding: "base64" };
  }
}

/** What the keys of a map look like: in JSON they are always strings. Undefined if any string will do. */
export function keySchema(scalar: Scalar): JsonSchema | undefined {
  if (scalar === "string") return undefined;
  if (scalar === "bool") return { enum: ["true", "false"] };
  return { pattern: scalarSchema(scalar).format?.toString().startsWith("u") ? "^[0-9]+$" : "^-?[0-9]+$" };
}

/** An enum by its names, with what each means. */
export function enumSchema(type: EnumType, reflection: Reflection): JsonSchema {
  if (type.name === "google.protobuf.NullValue") return { type: "null" };
  const meanings = [...reflection.values(type)].map(([value, comment]) => `- \`${value}\`: ${comment.replace(/\s+/g, " ")}`);
  const description = [reflection.enumType(type).comment, meanings.join("\n")].filter((part) => part !== "").join("\n\n");
  return { title: shortName(type.name), type: "string", enum: [...type.numbers.keys()], ...(description && { description }) };
}

const wellKnown: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": {
    type: "string",
    pattern: "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$",
    description: 'Seconds with up to nine digits after the point: "1.5s".',
  },
  "google.protobuf.FieldMask": { type: "string", format: "field-mask", description: 'Names of fields, separated by commas: "a,b.c".' },
  "google.protobuf.Struct": { type: "object", additionalProperties: true, description: "Any JSON object." },
  "google.protobuf.Value": { description: "Any JSON value." },
  "google.protobuf.ListValue": { type: "array", items: {}, description: "Any JSON array." },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string", description: "The URL of a type; its last part is the full name of a message." } },
    additionalProperties: true,
    description: "A message of any type, with its type.",
  },
};

/** The messages that are no object of their fields in JSON; undefined for all others. */
export function wellKnownSchema(name: string): JsonSchema | undefined {
  const scalar = wrappers.get(name);
  return scalar === undefined ? wellKnown[name] : scalarSchema(scalar);
}

/** A full name without its package: "Charger.Availability". Packages are in lower case, messages and enums are not. */
export function shortName(fullName: string): string {
  const parts = fullName.split(".");
  const first = parts.findIndex((part) => /^[A-Z]/.test(part));
  return parts.slice(first < 0 ? -1 : first).join(".");
}
