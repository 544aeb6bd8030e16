import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { OpenApiDocument } from "../src/openapi.ts";

/** What a standard validator has against the document; undefined if nothing. */
export async function faultsOf(document: OpenApiDocument): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  return valid ? undefined : errors;
}

/** The document's routes as `routesOf` writes them, without the names of variables; those that OpenAPI has no method for as they are. */
export function routesIn({ paths }: OpenApiDocument): string[] {
  return Object.entries(paths).flatMap(([path, { "x-additional-operations": others = {}, ...item }]) => {
    const operations = Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const);
    return [...operations, ...Object.entries(others)].map(([route, operation]) =>
      withoutNames(`${route} -> ${operation["x-grpc-method"]}`),
    );
  });
}

/** `{name=rooms/*}` and `rooms/{name}` are both `rooms/{}`; a `**` is one more segment for OpenAPI. */
export function withoutNames(route: string): string {
  return route
    .replace(" (stream)", "")
    .replace(/\{[^}=]*=([^}]*)\}/g, "$1")
    .replace(/(?<=\/)\*\*?(?=[/: ])/g, "{}")
    .replace(/\{[^}]*\}/g, "{}");
}

/** A member that no schema names is a fault here, so that what is compared is the same from both sides. */
function closed(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isObject = "properties" in schema && "type" in schema && !("additionalProperties" in schema);
  return isObject ? { ...inner, additionalProperties: false } : inner;
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Checks values against schemas of the document, which are named by the steps that lead to them. Answers the faults, or []. */
export function checkerOf(document: OpenApiDocument): (value: unknown, ...steps: string[]) => unknown[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  for (const format of ["int32", "uint32", "int64", "uint64", "double", "float", "byte", "field-mask", "email"])
    ajv.addFormat(format, true);
  ajv.addFormat("date-time", time);
  ajv.addFormat("uuid", /^[0-9a-f-]{36}$/);
  ajv.addSchema({ $id: "openapi:document", ...(closed(document) as object) });
  return (value, ...steps) => {
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const validate = ajv.compile({ $ref: `openapi:document#/${pointer}` });
    return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}
