import type { Binding } from "./http-rule.ts";
import { invalid, JsonCursor, within } from "./json-cursor.ts";
import { choose, type FieldIn, type MessageIn } from "./json-reader.ts";
import { locate, newOverlay, type Overlay, setFromTexts, writeOverlay } from "./overlay.ts";
import { captured, capturedList } from "./path-template.ts";
import { type Bound, setFromQuery } from "./query.ts";
import { tagOf, WireOut, wire } from "./wire-out.ts";

/** An HTTP request, as far as it becomes a message. */
export interface RequestParts {
  /** The raw segments of the path. */
  readonly segments: readonly string[];
  /** The raw query, without its `?`. */
  readonly query: string;
  /** Empty if there is none. */
  readonly body: Buffer;
  readonly contentType: string;
  /** What the field `etag` shall hold, whatever the body says of it; undefined to leave it to the body. */
  readonly etag?: string | undefined;
}

/** Encodes requests as protobuf. Throws a JsonFault if the caller is to blame. */
export type RequestEncoder = (parts: RequestParts) => Buffer;

export const HTTP_BODY = "google.api.HttpBody";

/** The request is, or its body field is, a google.api.HttpBody: then the body is taken as it comes, whatever its type. */
export function takesRawBody({ body, request }: Binding): boolean {
  return body !== undefined && (body === "*" ? request : body.message)?.type.name === HTTP_BODY;
}

const out = new WireOut();

/** Compiles how the path, the query and the body of a binding become one message. `etag` leads to the field of that name. */
export function requestEncoder(binding: Binding, ignoreUnknown: boolean, etag?: readonly FieldIn[]): RequestEncoder {
  const { request, variables, body } = binding;
  const names = variables.map(({ fields }) => fields.map(({ field }) => field.jsonName).join("."));
  const bound: Bound[] = variables.map(({ fields }) => ({ fields, by: "path" }));
  if (body !== undefined && body !== "*") bound.push({ fields: [body], by: "body" });
  const raw = takesRawBody(binding);
  const readBody = body === undefined ? refuseBody : body === "*" ? wholeBody(request, raw) : fieldBody(binding, body, raw);
  return (parts) => {
    const overlay = newOverlay(request);
    for (const [index, { variable, fields }] of variables.entries()) {
      try {
        const isList = fields.at(-1)?.field.shape === "repeated";
        setFromTexts(overlay, fields, isList ? capturedList(variable, parts.segments) : [captured(variable, parts.segments)]);
      } catch (error) {
        throw within(names[index] ?? "", error instanceof URIError ? invalid("is not percent-encoded UTF-8") : error);
      }
    }
    // With body "*" there is nothing left that a parameter could name.
    const known = body === "*" ? [{ fields: [], by: "body" } as const] : bound;
    const inQuery = setFromQuery(overlay, parts.query, known, ignoreUnknown);
    if (parts.etag !== undefined && etag !== undefined) setFromTexts(overlay, etag, [parts.etag]);
    out.reset();
    readBody(parts, overlay, inQuery);
    return out.take();
  };
}

type ReadBody = (parts: RequestParts, overlay: Overlay, inQuery: ReadonlySet<string>) => void;

const refuseBody: ReadBody = ({ body }, overlay) => {
  // Many clients send an empty object with every POST and DELETE.
  if (body.length > 0 && !/^\s*(?:\{\s*\})?\s*$/.test(body.toString("latin1"))) throw invalid("is not wanted by this call");
  writeOverlay(overlay, out);
};

function wholeBody(request: MessageIn, raw: boolean): ReadBody {
  return (parts, overlay) => {
    if (raw) writeRaw(parts);
    if (raw || parts.body.length === 0) return writeOverlay(overlay, out);
    const input = new JsonCursor(parts.body);
    request.content(input, out, overlay);
    input.finish();
  };
}

function fieldBody(binding: Binding, field: FieldIn, raw: boolean): ReadBody {
  const mask = binding.method === "PATCH" ? updateMask(binding, field) : undefined;
  return (parts, overlay, inQuery) => {
    const nested = overlay.nested.get(field);
    if (parts.body.length === 0) return writeOverlay(overlay, out);
    if (raw) {
      out.uint32(field.tag);
      const at = out.begin();
      writeRaw(parts);
      out.end(at);
      return writeOverlay(overlay, out, new Set([field]));
    }
    const input = new JsonCursor(parts.body);
    const given = field.read(input, out, nested);
    input.finish();
    if (given && field.field.oneof >= 0) choose(binding.request.type, overlay.chosen, field);
    writeOverlay(overlay, out, given ? new Set([field]) : undefined);
    if (given && mask !== undefined && !inQuery.has("update_mask")) mask(parts.body);
  };
}

/** Writes the content of a google.api.HttpBody. */
function writeRaw({ contentType, body }: RequestParts): void {
  out.uint32(tagOf(1, wire.bytes));
  out.text(contentType);
  out.uint32(tagOf(2, wire.bytes));
  out.bytes(body);
}

/**
 * AIP-134: a PATCH whose caller gave no update_mask changes what its body names. Undefined if the request has no such field. What the
 * path fills is not part of the mask, and neither is the etag, which nobody changes by hand (AIP-154).
 */
function updateMask({ request, variables }: Binding, field: FieldIn): ((body: Buffer) => void) | undefined {
  const [mask] = locate(request, "update_mask") ?? [];
  const { message } = field;
  if (mask?.field.type.kind !== "message" || mask.field.type.name !== "google.protobuf.FieldMask" || message === undefined)
    return undefined;
  const outside = new Set(
    variables
      .filter(({ fields }) => fields[0] === field)
      .map(({ fields }) => pathOf(fields.slice(1)))
      .concat("etag"),
  );
  return (body) => {
    const named: unknown = JSON.parse(body.toString());
    const paths = namedFields(named, message, "").filter((path) => !outside.has(path));
    if (paths.length === 0) return;
    out.uint32(mask.tag);
    const at = out.begin();
    for (const path of paths) {
      out.uint32(tagOf(1, wire.bytes));
      out.text(path);
    }
    out.end(at);
  };
}

function pathOf(fields: readonly FieldIn[]): string {
  return fields.map(({ field }) => field.name).join(".");
}

/** The fields that an object names, in proto's spelling: those of nested messages one by one, lists, maps and empty objects whole. */
function namedFields(value: unknown, message: MessageIn, prefix: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const field = message.byKey.get(key);
    if (field === undefined) return [];
    const path = prefix + field.field.name;
    const deeper = field.message === undefined ? [] : namedFields(inner, field.message, `${path}.`);
    return deeper.length > 0 ? deeper : [path];
  });
}
