/** A segment of a path: `*` is any one, `**` is all that are left. */
export type Segment = { readonly kind: "literal"; readonly text: string } | { readonly kind: "one" } | { readonly kind: "rest" };

/** A variable takes the segments from `start` to before `end`; Infinity is the end of the path. */
export interface Variable {
  readonly fieldPath: string;
  readonly start: number;
  readonly end: number;
  /** Its template has several segments or `**`, and then `%2F` in it stays as it is. */
  readonly multi: boolean;
}

export interface PathTemplate {
  readonly segments: readonly Segment[];
  /** Without its colon; "" if there is none. */
  readonly verb: string;
  readonly variables: readonly Variable[];
}

/** A template that is not as google.api.http wants it. */
export class TemplateError extends Error {}

const identifiers = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/**
 * Reads a path template of google.api.http:
 *
 *     Template = "/" Segments [ ":" LITERAL ]
 *     Segment  = "*" | "**" | LITERAL | "{" FieldPath [ "=" Segments ] "}"
 *
 * "/" alone is a template too, of no segments. Throws a TemplateError that says what is wrong.
 */
export function parseTemplate(template: string): PathTemplate {
  if (!template.startsWith("/")) throw new TemplateError("must begin with /");
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  const { path, verb } = splitVerb(template.slice(1));
  if (path === "" && verb === "") return { segments, verb, variables };
  for (const part of splitOutside(path)) {
    if (!part.startsWith("{")) {
      segments.push(toSegment(part));
      continue;
    }
    if (!part.endsWith("}")) throw new TemplateError(`${part} is neither a variable nor a literal`);
    const [fieldPath = "", ...inner] = part.slice(1, -1).split("=");
    if (!identifiers.test(fieldPath)) throw new TemplateError(`{${fieldPath}} does not name a field`);
    if (inner.length > 1) throw new TemplateError(`${part} has more than one =`);
    const taken = (inner[0] ?? "*").split("/").map(toSegment);
    const rest = taken.some(({ kind }) => kind === "rest");
    const start = segments.length;
    if (variables.some((variable) => variable.fieldPath === fieldPath)) throw new TemplateError(`${fieldPath} is bound twice`);
    variables.push({ fieldPath, start, end: rest ? Number.POSITIVE_INFINITY : start + taken.length, multi: rest || taken.length > 1 });
    segments.push(...taken);
  }
  const rest = segments.findIndex(({ kind }) => kind === "rest");
  if (rest >= 0 && rest < segments.length - 1) throw new TemplateError("** must be the last segment");
  return { segments, verb, variables };
}

/** A verb begins at the last colon that stands neither in a variable nor before a slash. */
function splitVerb(path: string): { path: string; verb: string } {
  const from = Math.max(path.lastIndexOf("}"), path.lastIndexOf("/")) + 1;
  const colon = path.lastIndexOf(":");
  if (colon < from) return { path, verb: "" };
  const verb = path.slice(colon + 1);
  if (!/^[^{}*/:]+$/.test(verb)) throw new TemplateError(`:${verb} is not a verb`);
  return { path: path.slice(0, colon), verb };
}

/** Splits at the slashes that do not stand in a variable. */
function splitOutside(path: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const character of path) {
    if (character === "{") depth++;
    if (character === "}") depth--;
    if (depth < 0 || depth > 1) throw new TemplateError("variables may not stand in one another, and braces come in pairs");
    if (character === "/" && depth === 0) {
      parts.push(part);
      part = "";
    } else part += character;
  }
  if (depth !== 0) throw new TemplateError("a { is not closed");
  return [...parts, part];
}

function toSegment(text: string): Segment {
  if (text === "*") return { kind: "one" };
  if (text === "**") return { kind: "rest" };
  if (text === "") throw new TemplateError("a segment is empty");
  if (/[{}*?#\s]/.test(text)) throw new TemplateError(`${text} is not a segment`);
  return { kind: "literal", text: decodeSegment(text) };
}

/** What a variable takes from the raw segments of a path, decoded. Throws a URIError if they are not percent-encoded UTF-8. */
export function captured(variable: Variable, raw: readonly string[]): string {
  return decodePart(rawText(variable, raw), variable.multi);
}

/** The same for a repeated field: its elements stand between commas; a comma in one of them is written %2C. */
export function capturedList(variable: Variable, raw: readonly string[]): string[] {
  const text = rawText(variable, raw);
  return text === "" ? [] : text.split(",").map((part) => decodePart(part, variable.multi));
}

function rawText({ start, end, multi }: Variable, raw: readonly string[]): string {
  return multi ? raw.slice(start, end).join("/") : (raw[start] ?? "");
}

function decodePart(raw: string, multi: boolean): string {
  if (!multi) return decodeSegment(raw);
  return raw
    .split(/(%2[Ff])/)
    .map((part, index) => (index % 2 === 1 ? part : decodeSegment(part)))
    .join("");
}

/** Percent-decoding. Throws a URIError if that is not percent-encoded UTF-8. */
export function decodeSegment(raw: string): string {
  return raw.includes("%") ? decodeURIComponent(raw) : raw;
}
