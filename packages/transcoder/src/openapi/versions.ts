import { etagOfRequest } from "../entity-tag.ts";
import type { Binding } from "../http-rule.ts";
import type { MessageType } from "../schema.ts";
import type { Header, Parameter, Reference, Response } from "./document.ts";

const tag = { type: "string", pattern: '^(W/)?".*"$' };

/** The headers of a binding whose messages have an `etag`, and the answers that come of them. */
export interface Versions {
  readonly parameters: readonly Parameter[];
  /** Of the answer. */
  readonly headers: Readonly<Record<string, Header>> | undefined;
  readonly answers: Readonly<Record<string, Response>>;
}

export function versionsOf(binding: Binding, error: Reference): Versions {
  const { method, rpc } = binding;
  const hasTag = !rpc.responseStream && hasEtag(shown(binding));
  const isReading = method === "GET" || method === "HEAD";
  const parameters: Parameter[] = [];
  const answers: Record<string, Response> = {};
  if (isReading && hasTag) {
    parameters.push({ name: "If-None-Match", in: "header", description: "An ETag that is here already.", schema: { type: "string" } });
    answers["304"] = { description: "It is still as it was." };
  }
  if (!isReading && etagOfRequest(binding) !== undefined) {
    parameters.push({ name: "If-Match", in: "header", description: "The ETag that it must have.", schema: { type: "string" } });
    answers["412"] = { description: "It does not have the ETag of If-Match.", content: { "application/json": { schema: { ...error } } } };
  }
  const headers = hasTag ? { ETag: { description: "The version: the member `etag` in quotes.", schema: tag } } : undefined;
  return { parameters, headers, answers };
}

function shown({ response, responseBody }: Binding): MessageType | undefined {
  if (responseBody === undefined) return response;
  const field = response.fields.find(({ name }) => name === responseBody);
  return field?.shape === "singular" && field.type.kind === "message" ? field.type : undefined;
}

function hasEtag(message: MessageType | undefined): boolean {
  return message?.fields.some(({ name, shape, type }) => name === "etag" && shape === "singular" && type.kind !== "message") === true;
}
