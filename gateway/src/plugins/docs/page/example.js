import { resolve } from "./schema.js";

const samples = {
  "date-time": "2026-01-31T12:00:00Z",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
  email: "ada@example.com",
  int64: "0",
  uint64: "0",
  byte: "",
  "field-mask": "",
};

/** A value that has the shape of a schema. With `onlyRequired`, no member that may be left out. */
export function exampleOf(doc, schema, onlyRequired = false, above = []) {
  const full = resolve(doc, schema);
  const { anyOf, items } = full;
  if (full.const !== undefined) return full.const;
  if (full.enum) return enumExample(full);
  switch (full.type) {
    case "array":
      return above.includes(items?.$ref) ? [] : [exampleOf(doc, items, onlyRequired, above)];
    case "object":
      return objectExample(doc, full, onlyRequired, schema.$ref ? [...above, schema.$ref] : above);
    case "string":
      return stringExample(full);
    case "integer":
    case "number":
      return Math.max(full.minimum ?? 0, full.not?.const === 0 ? 1 : 0);
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return anyOf ? exampleOf(doc, anyOf[0], onlyRequired, above) : {};
  }
}

function enumExample({ enum: values, not }) {
  return values.find((value) => !not?.enum?.includes(value) && !String(value).endsWith("_UNSPECIFIED")) ?? values[0];
}

function stringExample({ format, pattern, anyOf }) {
  const sample = samples[format ?? anyOf?.[1]?.format];
  return sample ?? (pattern?.endsWith("s$") ? "1.5s" : "string");
}

function objectExample(doc, full, onlyRequired, above) {
  const seen = new Set();
  for (const { oneOf = [] } of full.allOf ?? []) for (const { required } of oneOf.slice(1)) if (required) seen.add(required[0]);
  const members = Object.entries(full.properties ?? {}).filter(([name, member]) => {
    if (seen.has(name) || above.includes(member.$ref)) return false;
    return !onlyRequired || full.required?.includes(name);
  });
  const example = Object.fromEntries(members.map(([name, member]) => [name, exampleOf(doc, member, onlyRequired, above)]));
  if (typeof full.additionalProperties === "object") example.key = exampleOf(doc, full.additionalProperties, onlyRequired, above);
  return example;
}
