import type { IncomingHttpHeaders } from "node:http";
import { pickerOf } from "./answer.ts";
import { RestError } from "./errors.ts";
import type { Binding } from "./http-rule.ts";
import type { FieldIn } from "./json-reader.ts";
import type { Writers } from "./json-writer.ts";
import { locate } from "./overlay.ts";

/** The field that holds the version of a resource (AIP-154). */
const ETAG = "etag";

/** What an entity tag may not hold between its quotes (RFC 9110, 8.8.3), and the sign that stands for that: then any etag has a tag. */
const unquotable = /[^\x21\x23\x24\x26-\x7e]/gu;

interface EntityTag {
  readonly weak: boolean;
  readonly opaque: string;
}

/** A list of entity tags, or `*` for any that there is. */
type Tags = "*" | readonly EntityTag[];

/** The fields that lead to where the request of a binding holds an etag: its own, or that of the resource in its body. */
export function etagOfRequest({ request, body, variables }: Binding): readonly FieldIn[] | undefined {
  const own = locate(request, ETAG);
  const inBody = typeof body === "object" && body.field.shape === "singular" ? locate(request, `${body.field.name}.${ETAG}`) : undefined;
  const found = [own, inBody].find((fields) => isText(fields?.at(-1)));
  return variables.some(({ fields }) => fields.at(-1) === found?.at(-1)) ? undefined : found;
}

function isText(field: FieldIn | undefined): boolean {
  return field?.field.shape === "singular" && field.field.type.kind === "scalar" && field.field.type.scalar === "string";
}

/** Compiles how the ETag header comes from an answer; undefined if its message has no such field. */
export function etagOfAnswer(binding: Binding, writers: Writers): ((message: Buffer) => string | undefined) | undefined {
  const pick = pickerOf(binding, writers, ETAG);
  return (
    pick &&
    ((message) => {
      const etag = pick(message);
      return etag === undefined || etag === "" ? undefined : `"${etag.replace(unquotable, encodeURIComponent)}"`;
    })
  );
}

/**
 * The etag that the caller of an rpc that changes something wants the resource to have, for the rpc's own field `etag`. Undefined if the
 * caller does not say. Throws 412 if no etag can be that, because the rpc knows none or a weak tag never matches (RFC 9110, 13.1.1).
 */
export function wantedEtag(method: string, headers: IncomingHttpHeaders, hasField: boolean): string | undefined {
  if (headers["if-none-match"] !== undefined) throw invalidHeader("If-None-Match is understood with GET and HEAD only.");
  const tags = tagsOf("If-Match", headers["if-match"]);
  if (tags === undefined || tags === "*") return undefined;
  const [tag, ...more] = tags.filter(({ weak }) => !weak);
  if (tag === undefined || !hasField) throw preconditionFailed(`${method} knows no etag here that could match If-Match.`);
  if (more.length > 0) throw invalidHeader("If-Match may hold one entity tag.");
  return decoded(tag.opaque);
}

/**
 * Whether what was asked for is what the caller has already, and the answer is 304 (RFC 9110, 13.1.2). Throws 412 if it is not what the
 * caller wants it to be.
 */
export function isNotModified(headers: IncomingHttpHeaders, etag: string | undefined): boolean {
  const wanted = tagsOf("If-Match", headers["if-match"]);
  const opaque = etag?.slice(1, -1);
  if (wanted !== undefined && wanted !== "*" && !wanted.some((tag) => !tag.weak && tag.opaque === opaque)) {
    throw preconditionFailed("The resource is not the one of If-Match.");
  }
  const known = tagsOf("If-None-Match", headers["if-none-match"]);
  return known !== undefined && opaque !== undefined && (known === "*" || known.some((tag) => tag.opaque === opaque));
}

const list = /^\s*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+$/;

function tagsOf(name: string, header: string | undefined): Tags | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === "*") return "*";
  if (!list.test(header)) throw invalidHeader(`${name} must be * or entity tags in quotes, such as "1".`);
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)].map(([, weak, opaque = ""]) => ({ weak: weak !== undefined, opaque }));
}

function decoded(opaque: string): string {
  try {
    return decodeURIComponent(opaque);
  } catch {
    return opaque;
  }
}

function invalidHeader(message: string): RestError {
  return new RestError({ code: "INVALID_ARGUMENT", reason: "INVALID_HEADER", message });
}

function preconditionFailed(message: string): RestError {
  return new RestError({ code: "FAILED_PRECONDITION", reason: "PRECONDITION_FAILED", message, httpStatus: 412 });
}
