import type { Binding } from "./http-rule.ts";
import type { MessageType } from "./schema.ts";

/**
 * Turns the path of a request's field in the words of its .proto, as services name it (`book.page_count`, `tags[2].unit_price`), into what the
 * caller of this binding wrote: JSON names, and without the field that is the body. A path that is not of this request stays as it is.
 */
export function callersPath({ request, body }: Pick<Binding, "request" | "body">): (path: string) => string {
  return (path) => {
    const names = jsonNames(request.type, path.split("."));
    if (names === undefined) return path;
    const isInBody = typeof body === "object" && body.field.shape === "singular" && names.length > 1 && names[0] === body.field.jsonName;
    return (isInBody ? names.slice(1) : names).join(".");
  };
}

/** Undefined if one of the steps is no field. A step into what has no fields of its own, such as a map or a Struct, stays as it is. */
function jsonNames(type: MessageType, steps: readonly string[]): string[] | undefined {
  const [step = "", ...rest] = steps;
  const [, name = step, index = ""] = /^([^[]+)(\[.*)$/.exec(step) ?? [];
  const field = type.fields.find((one) => one.name === name);
  if (field === undefined) return undefined;
  const first = `${field.jsonName}${index}`;
  if (rest.length === 0) return [first];
  const isOpaque = field.shape === "map" || field.type.kind !== "message" || field.type.name.startsWith("google.protobuf.");
  const inner = isOpaque || field.type.kind !== "message" ? rest : jsonNames(field.type, rest);
  return inner && [first, ...inner];
}
