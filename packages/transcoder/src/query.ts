import { invalid, JsonFault, within } from "./json-cursor.ts";
import type { FieldIn } from "./json-reader.ts";
import type { Overlay } from "./overlay.ts";
import { locate, setFromTexts } from "./overlay.ts";

/** A field that something else fills already, and how that is called in a message to the caller. */
export interface Bound {
  readonly fields: readonly FieldIn[];
  readonly by: "path" | "body";
}

/**
 * Sets what the query (without its `?`) says. A parameter is named after its field, nested ones with dots, in JSON's spelling or proto's;
 * repeated fields take it several times. Returns the names of the top-level fields that were set. Throws a JsonFault that names the parameter.
 */
export function setFromQuery(overlay: Overlay, query: string, bound: readonly Bound[], ignoreUnknown: boolean): Set<string> {
  const set = new Set<string>();
  const given = new Set<string>();
  if (query === "") return set;
  for (const [name, texts] of parametersOf(query)) {
    try {
      const fields = locate(overlay.message, name);
      if (fields === undefined) {
        if (ignoreUnknown) continue;
        throw new JsonFault("UNKNOWN_FIELD", "is not a parameter of this call");
      }
      const taken = bound.find((other) => other.fields.every((field, depth) => fields[depth] === field));
      if (taken !== undefined) throw invalid(`is taken from the ${taken.by}, not from the query`);
      const path = fields.map(({ field }) => field.name).join(".");
      if (given.has(path)) throw invalid("is given twice, by both of its names");
      given.add(path);
      setFromTexts(overlay, fields, texts);
      set.add(fields[0]?.field.name ?? name);
    } catch (error) {
      throw within(name, error);
    }
  }
  return set;
}

function parametersOf(query: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const text = equals < 0 ? "" : decode(pair.slice(equals + 1));
    const texts = parameters.get(name);
    if (texts === undefined) parameters.set(name, [text]);
    else texts.push(text);
  }
  return parameters;
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll("+", " "));
  } catch {
    throw within(raw, invalid("is not percent-encoded UTF-8"));
  }
}
