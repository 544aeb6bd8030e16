import { METHODS } from "node:http";
import type { FieldIn, MessageIn, Readers } from "./json-reader.ts";
import { locate } from "./overlay.ts";
import { type PathTemplate, parseTemplate, type Variable } from "./path-template.ts";
import type { Rpc } from "./proto-files.ts";
import type { MessageType, TypeRegistry } from "./schema.ts";

/** One way of calling an rpc over HTTP. */
export interface Binding {
  readonly rpc: Rpc;
  /** The HTTP method, or `*` for any. */
  readonly method: string;
  /** As it was written. */
  readonly template: string;
  readonly path: PathTemplate;
  readonly request: MessageIn;
  readonly response: MessageType;
  /** The fields that the path fills, each with the fields that lead to it. */
  readonly variables: readonly { readonly variable: Variable; readonly fields: readonly FieldIn[] }[];
  /** What the body is: the whole request, one field of it, or nothing. */
  readonly body: "*" | FieldIn | undefined;
  /** The name of the field that is the response body; undefined if it is the whole response. */
  readonly responseBody: string | undefined;
}

/** An rpc that cannot be served as its option says; the message names the file, the rpc and the reason. */
export class UnservableError extends Error {
  constructor(rpc: Rpc, reason: string) {
    super(`${rpc.file}: ${rpc.service}.${rpc.name}: ${reason}`);
  }
}

type Rule = Readonly<Record<string, unknown>>;

const verbs = new Map([
  ["get", "GET"],
  ["put", "PUT"],
  ["post", "POST"],
  ["delete", "DELETE"],
  ["patch", "PATCH"],
]);
const others = ["selector", "custom", "body", "response_body", "additional_bindings"];
const bodyless = ["GET", "HEAD", "TRACE"];

/** All bindings of an rpc, in the order of their declaration. Throws an UnservableError if one of them cannot be served. */
export function bindingsOf(rpc: Rpc, types: TypeRegistry, readers: Readers): Binding[] {
  const refuse = (reason: string) => new UnservableError(rpc, reason);
  if (rpc.requestStream) throw refuse("streams from the client have no form in HTTP; remove google.api.http");
  const request = types(rpc.requestType);
  const response = types(rpc.responseType);
  if (request === undefined || response === undefined) throw refuse("its messages are not known");
  if (!isRule(rpc.rule)) throw refuse("google.api.http is not an HttpRule");
  // One additional binding is read as an object, and more of them as a list.
  const added = [rpc.rule.additional_bindings ?? []].flat();
  return [rpc.rule, ...added].map((rule: unknown, index) => {
    if (!isRule(rule)) throw refuse("an additional binding is not an HttpRule");
    if (index > 0 && rule.additional_bindings !== undefined) throw refuse("additional_bindings may not be nested");
    return toBinding(rpc, rule, readers.message(request), response, refuse);
  });
}

type Refuse = (reason: string) => UnservableError;

function toBinding(rpc: Rpc, rule: Rule, request: MessageIn, response: MessageType, refuse: Refuse): Binding {
  const { method, template } = patternOf(rule, refuse);
  const path = templateOf(template, refuse);
  const variables = path.variables.map((variable) => ({ variable, fields: variableFields(variable, request, refuse) }));
  const body = bodyOf(rule, request, refuse);
  if (body !== undefined && bodyless.includes(method)) throw refuse(`${method} has no body`);
  for (const { variable, fields } of variables) {
    if (fields.length === 1 && fields[0] === body) throw refuse(`${variable.fieldPath} is both in the path and the body`);
  }
  const responseBody = textOf(rule, "response_body", refuse);
  if (responseBody !== undefined && !response.fields.some(({ name }) => name === responseBody)) {
    throw refuse(`response_body: ${response.name} has no field ${responseBody}`);
  }
  return { rpc, method, template, path, request, response, variables, body, responseBody };
}

function patternOf(rule: Rule, refuse: Refuse): { method: string; template: string } {
  const unknown = Object.keys(rule).find((key) => !verbs.has(key) && !others.includes(key));
  if (unknown !== undefined) throw refuse(`google.api.http has no field ${unknown}`);
  const patterns = Object.keys(rule).filter((key) => verbs.has(key) || key === "custom");
  const [pattern] = patterns;
  if (pattern === undefined || patterns.length > 1) throw refuse("google.api.http needs one of get, put, post, delete, patch and custom");
  if (pattern !== "custom") return { method: verbs.get(pattern) ?? pattern, template: textOf(rule, pattern, refuse) ?? "" };
  const custom = rule.custom;
  if (!isRule(custom)) throw refuse("custom needs kind and path");
  const method = textOf(custom, "kind", refuse) ?? "";
  if (method !== "*" && !METHODS.includes(method)) throw refuse(`Node knows no HTTP method ${JSON.stringify(method)}`);
  return { method, template: textOf(custom, "path", refuse) ?? "" };
}

function templateOf(template: string, refuse: Refuse): PathTemplate {
  try {
    return parseTemplate(template);
  } catch (error) {
    throw refuse(`the path ${JSON.stringify(template)}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function variableFields(variable: Variable, request: MessageIn, refuse: Refuse): readonly FieldIn[] {
  const fields = locate(request, variable.fieldPath);
  if (fields === undefined) throw refuse(`{${variable.fieldPath}} is not a field of ${request.type.name}`);
  const leaf = fields.at(-1);
  if (leaf?.fromTexts === undefined) {
    throw refuse(`{${variable.fieldPath}} is a map or a message, and has no form in a path`);
  }
  return fields;
}

function bodyOf(rule: Rule, request: MessageIn, refuse: Refuse): Binding["body"] {
  const body = textOf(rule, "body", refuse);
  if (body === undefined || body === "*") return body;
  const field = request.fields.find((candidate) => candidate.field.name === body);
  if (field === undefined) throw refuse(`body: ${request.type.name} has no field ${body}`);
  return field;
}

/** A text of the rule; undefined if it is not there or empty. */
function textOf(rule: Rule, key: string, refuse: Refuse): string | undefined {
  const value = rule[key];
  if (value === undefined || value === "") return undefined;
  if (typeof value !== "string") throw refuse(`${key} must be a string`);
  return value;
}

function isRule(value: unknown): value is Rule {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
