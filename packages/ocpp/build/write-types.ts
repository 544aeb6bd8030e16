import { nameOf, type Schema, type SchemaFile } from "./schemas.ts";

/** TypeScript for one version: a type per definition, an interface per request and response, and the maps `Requests` and `Responses`. */
export function typesOf({ requests, responses, definitions }: SchemaFile): string {
  return [
    ...Object.entries(definitions).map(([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`),
    ...Object.entries(requests).map(([action, schema]) => `export interface ${action}Request ${typeOf(schema)}\n`),
    ...Object.entries(responses).map(([action, schema]) => `export interface ${action}Response ${typeOf(schema)}\n`),
    mapOf("Requests", "Request", Object.keys(requests)),
    mapOf("Responses", "Response", Object.keys(responses)),
  ].join("\n");
}

function mapOf(name: string, suffix: string, actions: string[]): string {
  return `export interface ${name} {\n${actions.map((action) => `  ${action}: ${action}${suffix};\n`).join("")}}\n`;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  switch (schema.type) {
    case "object":
      return objectOf(schema);
    case "array":
      return `Array<${typeOf(schema.items ?? {})}>`;
    case "integer":
      return "number";
    case undefined:
      return "unknown";
    default:
      return schema.type;
  }
}

/** An optional field may also be set to undefined, which JSON leaves out: answers are easier to write so. */
function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const fields = Object.entries(properties).map(([name, schema]) =>
    required.includes(name) ? `${name}: ${typeOf(schema)};` : `${name}?: ${typeOf(schema)} | undefined;`,
  );
  if (additionalProperties !== false) fields.push("[name: string]: unknown;");
  return `{ ${fields.join(" ")} }`;
}
