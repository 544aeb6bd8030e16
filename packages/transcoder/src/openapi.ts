import { type Binding, bindingsOf } from "./http-rule.ts";
import { makeReaders } from "./json-reader.ts";
import { type Method, methods, type OpenApiDocument, type Operation, type PathItem, type Tag } from "./openapi/document.ts";
import { errorSchema } from "./openapi/error-answers.ts";
import { makeSchemas } from "./openapi/message-schema.ts";
import { type OperationSettings, operationOf } from "./openapi/operation.ts";
import type { OpenApiOptions } from "./openapi/options.ts";
import { openApiPath, structureOf } from "./openapi/path.ts";
import { type Reflection, reflectionOf } from "./openapi/reflection.ts";
import { shortName } from "./openapi/type-schema.ts";
import { readProtoFiles } from "./proto-files.ts";

export type { JsonSchema, OpenApiDocument, Operation, PathItem } from "./openapi/document.ts";
export type { FieldTraits, OpenApiOptions, RpcTraits } from "./openapi/options.ts";
export type { ProtoOptions } from "./openapi/reflection.ts";

/**
 * Describes as OpenAPI 3.1 what `transcoder` serves of the protos in these folders: an operation for every binding, a schema for every
 * message that they show, and the words of their comments. The same protos give the same document. Throws as `transcoder` does.
 */
export function openApiOf(protoDirs: readonly string[], options: OpenApiOptions): OpenApiDocument {
  const { rpcs, types, root } = readProtoFiles(protoDirs);
  const readers = makeReaders(types, false);
  const bindings = rpcs.flatMap((rpc) => bindingsOf(rpc, types, readers));
  const reflection = reflectionOf(root);
  const schemas = makeSchemas(reflection, options.field);
  const errorName = types("Error") === undefined ? "Error" : "Error.rest";
  const error = { schema: { $ref: `#/components/schemas/${errorName}` }, answer: { $ref: "#/components/responses/Error" } };
  const tags = tagsOf(bindings);
  const paths = pathsOf(bindings, tags, { reflection, schemas, rpc: options.rpc, error });
  for (const [path, item] of Object.entries(options.paths ?? {})) {
    paths[path] = { ...paths[path], ...item };
  }
  return {
    openapi: "3.1.1",
    info: options.info,
    servers: [{ url: options.serverUrl ?? "/" }],
    tags: [...tags].map(([service, name]) => tagOf(service, name, reflection)).concat(options.tags ?? []),
    paths,
    components: {
      schemas: { ...schemas.components(), ...options.schemas, [errorName]: errorSchema },
      responses: { Error: { description: "Every failure has this shape.", content: { "application/json": { schema: error.schema } } } },
      ...(options.securitySchemes && { securitySchemes: options.securitySchemes }),
    },
  };
}

/** What each service is called: its name without the package, unless another one has that too. */
function tagsOf(bindings: readonly Binding[]): Map<string, string> {
  const services = [...new Set(bindings.map(({ rpc }) => rpc.service))];
  const isAlone = (service: string): boolean => services.filter((other) => shortName(other) === shortName(service)).length === 1;
  return new Map(services.map((service) => [service, isAlone(service) ? shortName(service) : service]));
}

function tagOf(service: string, name: string, reflection: Reflection): Tag {
  const { comment } = reflection.service(service);
  return { name, ...(comment && { description: comment }) };
}

type Operations = Partial<Record<Method, Operation>> & { "x-additional-operations"?: Record<string, Operation> };

function pathsOf(bindings: readonly Binding[], tags: ReadonlyMap<string, string>, settings: OperationSettings): Record<string, PathItem> {
  const paths: Record<string, Operations> = {};
  // OpenAPI takes paths for one that differ in the names of their parameters only: the first to come gives the names.
  const spelt = new Map<string, string>();
  const bound = new Map<string, number>();
  for (const binding of bindings) {
    const { rpc, method, template } = binding;
    const { path: own, parameters } = openApiPath(binding);
    const path = spelt.get(structureOf(own)) ?? own;
    spelt.set(structureOf(own), path);
    const names = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name);
    const tag = tags.get(rpc.service) ?? rpc.service;
    const count = (bound.get(rpc.path) ?? 0) + 1;
    bound.set(rpc.path, count);
    const operationId = `${tag.replaceAll(".", "_")}_${rpc.name}${count === 1 ? "" : `_${count}`}`;
    const operation = operationOf(binding, { operationId, tag, parameters, names }, settings);
    const item = paths[path] ?? {};
    paths[path] = item;
    const known = methods.find((one) => one === method.toLowerCase());
    if (known !== undefined && item[known] === undefined) item[known] = operation;
    else item["x-additional-operations"] = { ...item["x-additional-operations"], [`${method} ${template}`]: operation };
  }
  return paths;
}
