import type { Binding } from "../http-rule.ts";
import type { Field } from "../schema.ts";

/** A parameter that stands in a path of OpenAPI. */
export interface PathParameter {
  readonly name: string;
  /** The fields that lead to the one it fills; undefined if it is a wildcard of the template that fills none. */
  readonly fields: readonly Field[] | undefined;
  /** It is only a part of the field: the template of the whole, such as "rooms/*". Undefined if it is all of it. */
  readonly partOf: string | undefined;
  /** It takes several segments. */
  readonly multi: boolean;
}

export interface OpenApiPath {
  readonly path: string;
  readonly parameters: readonly PathParameter[];
}

/**
 * A template of google.api.http as a path of OpenAPI, where a parameter is always one whole segment: `{name=rooms/*}` becomes
 * `rooms/{name}`, and a variable with several wildcards one parameter for each, named after the literal before it.
 */
export function openApiPath({ path: { segments, verb }, variables }: Binding): OpenApiPath {
  const parameters: PathParameter[] = [];
  const parts = segments.map((segment, at) => {
    if (segment.kind === "literal") return literal(segment.text);
    const found = variables.find(({ variable }) => variable.start <= at && at < variable.end);
    const multi = segment.kind === "rest";
    const before = segments[at - 1];
    const label = before?.kind === "literal" ? before.text.replace(/[^A-Za-z0-9_-]/g, "") : "";
    if (found === undefined) {
      parameters.push({ name: unused(parameters, label || "segment"), fields: undefined, partOf: undefined, multi });
    } else {
      const { start, end } = found.variable;
      const inner = segments.slice(start, end);
      const name = found.fields.map(({ field }) => field.jsonName).join(".");
      const isAlone = inner.filter(({ kind }) => kind !== "literal").length === 1;
      const partOf = inner.length === 1 ? undefined : inner.map(templateText).join("/");
      const fields = found.fields.map(({ field }) => field);
      parameters.push({ name: unused(parameters, isAlone ? name : `${name}.${label || at - start + 1}`), fields, partOf, multi });
    }
    return `{${parameters.at(-1)?.name}}`;
  });
  return { path: `/${parts.join("/")}${verb === "" ? "" : `:${verb}`}`, parameters };
}

function templateText(segment: Binding["path"]["segments"][number]): string {
  return { literal: segment.kind === "literal" ? segment.text : "", one: "*", rest: "**" }[segment.kind];
}

/** Percent-encoded, but for what may stand in a segment as it is. */
function literal(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

function unused(parameters: readonly PathParameter[], name: string): string {
  let candidate = name;
  for (let n = 2; parameters.some((parameter) => parameter.name === candidate); n++) candidate = `${name}${n}`;
  return candidate;
}

/** Paths that differ in the names of their parameters only are one path. */
export function structureOf(path: string): string {
  return path.replace(/\{[^}]*\}/g, "{}");
}
