import { type DescMessage, type DescMethod, getOption, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { http } from "../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../gen/google/api/http_pb.js";

/** What an rpc is over HTTP. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: string | undefined;
  /** The JSON name of the field that the response body is; undefined if it is the whole response. */
  readonly responseField: string | undefined;
}

/**
 * The request that google.api.http makes of an rpc and its input in JSON. Throws a ConnectError: UNIMPLEMENTED if the rpc is not there over
 * REST, INVALID_ARGUMENT if a field of the path is empty.
 */
export function httpRequest(rpc: DescMethod, input: JsonObject): HttpRequest {
  const rule = getOption(rpc, http);
  const { method, template } = patternOf(rule, rpc);
  const json = structuredClone(input);
  const path = template.replace(/\{([^=}]+)(?:=([^}]*))?\}/g, (_whole, field: string, pattern = "*") =>
    encodePath(take(json, rpc.input, field.split(".")), pattern, field),
  );
  const { query, body } = splitBody(rule, rpc, json);
  const responseField = rule.responseBody === "" ? undefined : jsonName(rpc.output, rule.responseBody);
  return { method, target: query === "" ? path : `${path}?${query}`, body, responseField };
}

function patternOf({ pattern }: HttpRule, rpc: DescMethod): { method: string; template: string } {
  switch (pattern.case) {
    case undefined:
      throw new ConnectError(`${rpc.parent.typeName}/${rpc.name} is there over gRPC only.`, Code.Unimplemented);
    case "custom":
      return { method: pattern.value.kind, template: pattern.value.path };
    default:
      return { method: pattern.case.toUpperCase(), template: pattern.value };
  }
}

/** Takes a field out of the JSON: what is in the path is nowhere else. */
function take(json: JsonObject, message: DescMessage, [first = "", ...rest]: string[]): JsonValue | undefined {
  const name = jsonName(message, first);
  const value = json[name];
  const inner = message.fields.find((field) => field.name === first)?.message;
  if (rest.length > 0 && inner !== undefined) return isObject(value) ? take(value, inner, rest) : undefined;
  delete json[name];
  return value;
}

function encodePath(value: JsonValue | undefined, pattern: string, field: string): string {
  const text = value === undefined || typeof value === "object" ? "" : String(value);
  const segments = /[/]|\*\*/.test(pattern) ? text.split("/") : [text];
  // URLs are normalized on their way: a segment of dots alone would be taken for a step up.
  if (text === "" || segments.some((segment) => /^\.\.?$/.test(segment))) {
    throw new ConnectError(`${field} cannot be ${JSON.stringify(text)}: it is part of the path.`, Code.InvalidArgument);
  }
  return segments.map(encodeURIComponent).join("/");
}

function splitBody(rule: HttpRule, rpc: DescMethod, json: JsonObject): { query: string; body: string | undefined } {
  if (rule.body === "*") return { query: "", body: JSON.stringify(json) };
  if (rule.body === "") return { query: queryOf(json), body: undefined };
  const name = jsonName(rpc.input, rule.body);
  const { [name]: body = {}, ...rest } = json;
  return { query: queryOf(rest), body: JSON.stringify(body) };
}

function queryOf(json: JsonObject): string {
  const query = new URLSearchParams();
  const add = (name: string, value: JsonValue): void => {
    if (Array.isArray(value)) for (const item of value) add(name, item);
    else if (isObject(value)) for (const [inner, one] of Object.entries(value)) add(`${name}.${inner}`, one);
    else query.append(name, String(value));
  };
  for (const [name, value] of Object.entries(json)) add(name, value);
  return query.toString();
}

function jsonName(message: DescMessage, name: string): string {
  return message.fields.find((field) => field.name === name)?.jsonName ?? name;
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
