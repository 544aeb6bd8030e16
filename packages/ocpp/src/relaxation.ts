import { mends, type Place } from "./mend.ts";
import { fieldOf, type SchemaFault, type Validator } from "./schema-fault.ts";

/** Where a charger's messages may depart from their schemas, if that is allowed of it. */
export type Relaxation =
  | "EXTRA_FIELDS"
  | "LONG_STRINGS"
  | "ENUM_CASE"
  | "UNKNOWN_WORDS"
  | "TIME_WITHOUT_ZONE"
  | "TIME_NOTATION"
  | "NUMBER_STRINGS"
  | "FRACTIONS"
  | "FINE_NUMBERS"
  | "NULL_FIELDS"
  | "EMPTY_STRINGS"
  | "MISSING_FIELDS"
  | "SINGLE_ITEMS";

/** A payload that departs from its schema: what it is meant to say, and which relaxations that takes, each with the first field that does. */
export interface Mended {
  readonly payload: object;
  readonly uses: ReadonlyMap<Relaxation, string>;
}

/** More kinds of faults at more kinds of places than any charger's firmware has; each costs a look at the whole payload. */
const ROUNDS_MAX = 32;

/** What a payload is meant to say, by the mends of all relaxations. Undefined if there is none for something that is wrong with it. Leaves `payload` as it is. */
export function mendPayload(validator: Validator, payload: object): Mended | undefined {
  const whole: Record<string, unknown> = { "": structuredClone(payload) };
  const uses = new Map<Relaxation, string>();
  const kept: { place: Place; value: unknown }[] = [];
  const keep = (place: Place, instead: unknown): void => {
    kept.push({ place, value: place.of[place.key] });
    place.of[place.key] = instead;
  };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (validator(whole[""])) {
      for (const { place, value } of kept) place.of[place.key] = value;
      return { payload: whole[""] as object, uses };
    }
    const fault = validator.errors?.[0];
    if (fault === undefined) return undefined;
    const relaxation = mendFault(whole, fault, keep);
    if (relaxation === undefined) return undefined;
    if (!uses.has(relaxation)) uses.set(relaxation, fieldOf(fault));
  }
  return undefined;
}

/** Mends a fault wherever it is: at the same field of other items of the same lists, too. Undefined if nothing mends it. */
function mendFault(
  whole: Record<string, unknown>,
  fault: SchemaFault,
  keep: (place: Place, instead: unknown) => void,
): Relaxation | undefined {
  const path = pathOf(fault);
  const [own] = placesOf(whole, path, true);
  if (own === undefined) return undefined;
  for (const { relaxation, keywords, apply } of mends) {
    if (!keywords.includes(fault.keyword) || !apply(own, fault.params, keep)) continue;
    for (const place of placesOf(whole, path, false)) {
      if (isAnother(place, own) && isSameFault(place, fault)) apply(place, fault.params, keep);
    }
    return relaxation;
  }
  return undefined;
}

/** The keys that lead to where a fault is; of a field that is missing or too much, to that field. */
function pathOf({ instancePath, keyword, params }: SchemaFault): string[] {
  // A JSON pointer (RFC 6901).
  const path = instancePath.split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keyword === "required") return [...path, String(params.missingProperty)];
  return keyword === "additionalProperties" ? [...path, String(params.additionalProperty)] : path;
}

/** The place that a path leads to or, unless it is to be exact, all that it leads to if any item of a list is as good as another. */
function placesOf(whole: Record<string, unknown>, path: readonly string[], isExact: boolean): Place[] {
  let places: Place[] = [{ of: whole, key: path[0] ?? "" }];
  for (const key of path.slice(1)) {
    places = places.flatMap((place) => {
      const inner = place.of[place.key];
      if (typeof inner !== "object" || inner === null) return [];
      const of = inner as Record<string, unknown>;
      return Array.isArray(inner) && !isExact ? inner.map((_item, i) => ({ of, key: String(i) })) : [{ of, key }];
    });
  }
  return places;
}

const isAnother = (place: Place, other: Place): boolean => place.of !== other.of || place.key !== other.key;

/** Whether a place has a fault that was found at another like it; of the others, what mends it sees for itself. */
function isSameFault({ of, key }: Place, { keyword, params }: SchemaFault): boolean {
  if (keyword === "required") return !Object.hasOwn(of, key);
  if (!Object.hasOwn(of, key)) return false;
  const value = of[key];
  switch (keyword) {
    case "type":
      return !isOfType(value, params.type);
    case "enum":
      return Array.isArray(params.allowedValues) && !params.allowedValues.includes(value);
    default:
      return true;
  }
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}
