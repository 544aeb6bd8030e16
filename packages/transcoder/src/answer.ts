import { type HttpBody, readHttpBody } from "./http-body.ts";
import type { Binding } from "./http-rule.ts";
import { type FieldOut, fieldJson, type Writers } from "./json-writer.ts";
import { HTTP_BODY } from "./request-message.ts";
import { WireIn } from "./wire-in.ts";

/** How the messages that come back are shown: as JSON, or as they are. */
export type Answer =
  | { readonly kind: "json"; readonly json: (message: Buffer) => string }
  | { readonly kind: "raw"; readonly body: (message: Buffer) => HttpBody };

/** Compiles the answer of a binding: the whole response, or the field that response_body names. */
export function answerOf({ response, responseBody }: Binding, writers: Writers): Answer {
  const message = writers.message(response);
  const field = message.fields.find((candidate) => candidate.field.name === responseBody);
  const shown = field === undefined ? response : field.field.type;
  if (shown.kind === "message" && shown.name === HTTP_BODY && field?.field.shape !== "repeated" && field?.field.shape !== "map") {
    return {
      kind: "raw",
      body: (bytes) => readHttpBody(field === undefined ? bytes : (lastOf([field], bytes)?.bytes() ?? Buffer.alloc(0))),
    };
  }
  if (field === undefined) return { kind: "json", json: (bytes) => message.json(new WireIn(bytes), bytes.length) };
  return { kind: "json", json: (bytes) => fieldJson(message, field, new WireIn(bytes), bytes.length) };
}

/**
 * Compiles a look at one field of what is shown, by a dotted path of proto names, as text. Undefined if there is no such field, or it is
 * no single value.
 */
export function pickerOf(
  { response, responseBody }: Binding,
  writers: Writers,
  path: string,
): ((message: Buffer) => string | undefined) | undefined {
  const names = responseBody === undefined ? path.split(".") : [responseBody, ...path.split(".")];
  const fields: FieldOut[] = [];
  let within = writers.message(response);
  for (const [depth, name] of names.entries()) {
    const field = within.fields.find((candidate) => candidate.field.name === name);
    if (field?.field.shape !== "singular") return undefined;
    fields.push(field);
    const { type } = field.field;
    if (depth < names.length - 1) {
      if (type.kind !== "message") return undefined;
      within = writers.message(type);
    }
  }
  const leaf = fields.at(-1);
  if (leaf === undefined || leaf.field.type.kind === "message") return undefined;
  return (message) => {
    const input = lastOf(fields, message);
    if (input === undefined) return undefined;
    const json = leaf.element.json(input);
    return json.startsWith('"') ? String(JSON.parse(json)) : json;
  };
}

/** Goes to where the value of a nested field stands; undefined if it is not on the wire. */
function lastOf(fields: readonly FieldOut[], message: Buffer): WireIn | undefined {
  let bytes = message;
  let found: WireIn | undefined;
  for (const [depth, { field, element }] of fields.entries()) {
    found = undefined;
    const input = new WireIn(bytes);
    while (input.pos < bytes.length) {
      const tag = input.tag();
      if (tag >>> 3 === field.number && (tag & 7) === element.wire) found = new WireIn(bytes, input.pos);
      input.skip(tag);
    }
    if (found === undefined) return undefined;
    if (depth < fields.length - 1) bytes = found.bytes();
  }
  return found;
}
