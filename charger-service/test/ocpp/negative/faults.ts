import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// What can be wrong with a payload of OCPP 1.6 and what that is called, derived here from the official schemas and table 7 of OCPP-J alone:
// nothing of packages/ocpp has a say in it.

/** JSON Schema draft 7, as far as the schemas of 1.6 use it. */
export interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly format?: string;
  readonly multipleOf?: number;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** A payload with one thing wrong with it. */
export interface Fault {
  /** For people: `.idTag is missing`. */
  readonly what: string;
  /** As 1.6 spells it. */
  readonly code: string;
  readonly payload: unknown;
}

const known = new Set(
  "$id $schema $ref type properties required additionalProperties items minItems enum maxLength format multipleOf definitions".split(" "),
);

const documents: readonly Schema[] = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve("ocpp-rpc/lib/schemas/ocpp1_6.json")), "utf8"),
);

/** The schemas of all requests or all responses, by action, with every `$ref` replaced by what it names. */
export function schemasOf(kind: "req" | "conf"): ReadonlyMap<string, Schema> {
  const found = documents.flatMap((document): [string, Schema][] => {
    const [, action = "", its] = /^urn:(\w+)\.(req|conf)$/.exec(document.$id ?? "") ?? [];
    return its === kind ? [[action, whole(document, document.definitions ?? {})]] : [];
  });
  return new Map(found);
}

function whole(schema: Schema, definitions: Readonly<Record<string, Schema>>): Schema {
  const named = schema.$ref === undefined ? schema : definitions[schema.$ref.replace("#/definitions/", "")];
  if (named === undefined) throw new Error(`no definition ${schema.$ref}`);
  // A keyword that nothing here breaks would be a rule that nothing here tests.
  const odd = Object.keys(named).filter((keyword) => !known.has(keyword));
  if (odd.length > 0) throw new Error(`keywords that nobody knows how to break: ${odd.join(", ")}`);
  const { properties, items } = named;
  return {
    ...named,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, whole(one, definitions)])) }),
    ...(items && { items: whole(items, definitions) }),
  };
}

/** A payload that the schema allows: with every field as long as it may be, or with the required ones alone. */
export function sample(schema: Schema, fields: "all" | "required"): unknown {
  switch (schema.type) {
    case "object": {
      const names = fields === "all" ? Object.keys(schema.properties ?? {}) : (schema.required ?? []);
      return Object.fromEntries(names.map((name) => [name, sample(schema.properties?.[name] ?? {}, fields)]));
    }
    case "array":
      return [sample(schema.items ?? {}, fields)];
    case "string":
      if (schema.enum !== undefined) return schema.enum[0];
      if (schema.format === "date-time") return "2026-11-22T19:30:00.5+01:00";
      return schema.format === "uri" ? "ftp://example.org/file" : "1".repeat(schema.maxLength ?? 1);
    case "boolean":
      return false;
    default:
      return 1;
  }
}

const occurrence = "OccurenceConstraintViolation";
const type = "TypeConstraintViolation";
const property = "PropertyConstraintViolation";
const structure = "FormationViolation";

/** The payload with one thing wrong with it, for every thing that can be, at any depth. */
export function faultsOf(schema: Schema, payload: unknown, field = ""): Fault[] {
  const wrongTypes = others[schema.type ?? "object"].map((value) => ({
    what: `${field} is ${JSON.stringify(value)}`,
    code: type,
    payload: value,
  }));
  // The payload as a whole is the frame's affair.
  return [...(field === "" ? [] : wrongTypes), ...inside(schema, payload, field)];
}

/** Values of another type than this. */
const others: Readonly<Record<NonNullable<Schema["type"]>, readonly unknown[]>> = {
  object: ["x", 7, true, null, []],
  array: ["x", 7, true, null, {}],
  string: [7, true, null, {}, ["x"]],
  integer: ["7", 1.5, true, null, {}, [7]],
  number: ["7", true, null, {}, [7]],
  boolean: ["true", 1, null, {}, [true]],
};

function inside(schema: Schema, payload: unknown, field: string): Fault[] {
  if (schema.type === "object") return insideObject(schema, payload as Record<string, unknown>, field);
  if (schema.type === "array") return insideArray(schema, payload as unknown[], field);
  return insideLeaf(schema).map(({ what, code, payload: value }) => ({ what: `${field} ${what}`, code, payload: value }));
}

function insideObject(
  { properties = {}, required = [], additionalProperties }: Schema,
  payload: Record<string, unknown>,
  field: string,
): Fault[] {
  const faults: Fault[] = [];
  if (additionalProperties === false) {
    for (const name of ["unknownField", "__proto__", "constructor"]) {
      // As JSON.parse does, and an assignment does not, for `__proto__`.
      const more = Object.getOwnPropertyDescriptors(JSON.parse(`{"${name}":1}`));
      faults.push({ what: `${field}.${name} does not exist`, code: structure, payload: Object.defineProperties({ ...payload }, more) });
    }
  }
  for (const [name, schema] of Object.entries(properties)) {
    const { [name]: own, ...rest } = payload;
    if (required.includes(name)) faults.push({ what: `${field}.${name} is missing`, code: occurrence, payload: rest });
    const good = own ?? sample(schema, "required");
    for (const inner of faultsOf(schema, good, `${field}.${name}`))
      faults.push({ ...inner, payload: { ...payload, [name]: inner.payload } });
  }
  return faults;
}

function insideArray({ items = {}, minItems }: Schema, [first]: unknown[], field: string): Fault[] {
  const faults: Fault[] = [];
  if (minItems !== undefined && minItems > 0) faults.push({ what: `${field} is empty`, code: occurrence, payload: [] });
  for (const inner of faultsOf(items, first, `${field}[0]`)) faults.push({ ...inner, payload: [inner.payload] });
  // Beyond the first as well.
  for (const inner of faultsOf(items, first, `${field}[1]`).slice(0, 1)) faults.push({ ...inner, payload: [first, inner.payload] });
  return faults;
}

const notDates = [
  "",
  "never",
  "0",
  "2026-11-22",
  "2026-13-01T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "2026-11-22T25:00:00Z",
  "2026-11-22T12:61:00Z",
  "2026-11-22T12:00:00+25:00",
  "22.11.2026 12:00",
];

function insideLeaf(schema: Schema): Fault[] {
  const values: [what: string, value: unknown][] = [];
  if (schema.enum !== undefined) {
    const [word = ""] = schema.enum;
    for (const other of ["Nonsense", "", word.toLowerCase(), `${word} `]) {
      if (!schema.enum.includes(other)) values.push([`is ${JSON.stringify(other)}, which is none of its words`, other]);
    }
  }
  if (schema.format === "date-time")
    values.push(...notDates.map((text): [string, unknown] => [`is ${JSON.stringify(text)}, no time`, text]));
  if (schema.format === "uri") values.push(["is no URI", "no uri"]);
  if (schema.maxLength !== undefined) {
    values.push(["is a character too long", "1".repeat(schema.maxLength + 1)], ["is an emoji too long", "🔌".repeat(schema.maxLength + 1)]);
  }
  if (schema.multipleOf !== undefined) values.push([`is no multiple of ${schema.multipleOf}`, schema.multipleOf * 1.5]);
  return values.map(([what, payload]) => ({ what, code: property, payload }));
}
