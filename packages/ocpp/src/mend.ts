import { characters } from "./characters.ts";
import { looseTime, withZone } from "./loose-time.ts";
import type { Relaxation } from "./relaxation.ts";
import type { SchemaFault } from "./schema-fault.ts";

/** Where a value stands: a field of an object, or an item of an array. */
export interface Place {
  readonly of: Record<string, unknown>;
  readonly key: string;
}

/** What stands for a value while it is checked, because no other passes; the value itself comes back afterwards. */
type Keep = (place: Place, instead: unknown) => void;

/** Mends one departure from a schema, at a place where a fault of this kind was found. False if it is not of its kind. */
interface Mend {
  readonly relaxation: Relaxation;
  readonly keywords: readonly string[];
  apply(place: Place, params: SchemaFault["params"], keep: Keep): boolean;
}

/** No id token of ours is longer (2.0.1: identifierString[36]), and a cut one would be another. */
const ID_TAG_CHARACTERS_MAX = 36;
/** Past this it is no longer a text that somebody wrote a little too long. */
const TEXT_CHARACTERS_MAX = 4_096;
/** The words that stand for every other, in the enumerations of OCPP that have one. */
const otherWords = ["Other", "OtherError"];
/** What a field that is missing may be taken for without harm, by its name. */
const defaults: Readonly<Record<string, unknown>> = {
  // Nobody would report an error and leave it out.
  errorCode: "NoError",
  chargePointVendor: "",
  chargePointModel: "",
  readonly: false,
};

const isText = (value: unknown): value is string => typeof value === "string";

/** Whether `word` is another way to write one of a list: the way that the list has it. */
function inCaseOf(word: string, allowed: unknown): string | undefined {
  if (!Array.isArray(allowed)) return undefined;
  return allowed.find((one) => isText(one) && one.toLowerCase() === word.toLowerCase());
}

function set({ of, key }: Place, value: unknown): true {
  of[key] = value;
  return true;
}

function remove({ of, key }: Place): boolean {
  // From a list nothing can be left out: what comes behind it would be somewhere else.
  if (Array.isArray(of)) return false;
  return delete of[key];
}

/** "12" as 12, "true" as true; undefined if the text is no such thing. */
function unquoted(text: string, type: unknown): unknown {
  if (type === "boolean") return /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined;
  return /^-?\d+(\.\d+)?$/.test(text) && (type === "number" || Number.isInteger(Number(text))) ? Number(text) : undefined;
}

/** By what each relaxation goes, in the order in which they are tried: what is nothing is taken out before it is taken for something. */
export const mends: readonly Mend[] = [
  { relaxation: "NULL_FIELDS", keywords: ["type"], apply: (place) => place.of[place.key] === null && remove(place) },
  {
    relaxation: "EMPTY_STRINGS",
    keywords: ["type", "enum", "format"],
    apply: (place) => place.of[place.key] === "" && remove(place),
  },
  { relaxation: "EXTRA_FIELDS", keywords: ["additionalProperties"], apply: remove },
  {
    relaxation: "MISSING_FIELDS",
    keywords: ["required"],
    apply: (place) => Object.hasOwn(defaults, place.key) && set(place, defaults[place.key]),
  },
  {
    relaxation: "SINGLE_ITEMS",
    keywords: ["type"],
    apply(place, { type }) {
      const value = place.of[place.key];
      return type === "array" && typeof value === "object" && value !== null && set(place, [value]);
    },
  },
  {
    relaxation: "NUMBER_STRINGS",
    keywords: ["type"],
    apply(place, { type }) {
      const value = place.of[place.key];
      if (type === "string") return (typeof value === "number" || typeof value === "boolean") && set(place, String(value));
      const meant = isText(value) ? unquoted(value, type) : undefined;
      return meant !== undefined && set(place, meant);
    },
  },
  {
    relaxation: "FRACTIONS",
    keywords: ["type"],
    apply(place, { type }) {
      const value = place.of[place.key];
      // Of an id, another number would be another thing.
      return type === "integer" && typeof value === "number" && /^meterSt(art|op)$/.test(place.key) && set(place, Math.round(value));
    },
  },
  {
    relaxation: "FINE_NUMBERS",
    keywords: ["multipleOf"],
    apply(place, _params, keep) {
      if (typeof place.of[place.key] !== "number") return false;
      keep(place, 0);
      return true;
    },
  },
  {
    relaxation: "ENUM_CASE",
    keywords: ["enum"],
    apply(place, { allowedValues }) {
      const value = place.of[place.key];
      const word = isText(value) ? inCaseOf(value, allowedValues) : undefined;
      return word !== undefined && set(place, word);
    },
  },
  {
    relaxation: "UNKNOWN_WORDS",
    keywords: ["enum"],
    apply(place, { allowedValues }) {
      const other = otherWords.find((one) => Array.isArray(allowedValues) && allowedValues.includes(one));
      return other !== undefined && isText(place.of[place.key]) && set(place, other);
    },
  },
  {
    relaxation: "LONG_STRINGS",
    keywords: ["maxLength"],
    apply(place, { limit }, keep) {
      const value = place.of[place.key];
      const max = /idtag$|idtoken$/i.test(place.key) ? ID_TAG_CHARACTERS_MAX : TEXT_CHARACTERS_MAX;
      if (!isText(value) || typeof limit !== "number" || characters(value) <= limit || characters(value) > max) return false;
      keep(place, value.slice(0, limit));
      return true;
    },
  },
  { relaxation: "TIME_NOTATION", keywords: ["format"], apply: (place, { format }) => format === "date-time" && setTime(place, looseTime) },
  {
    relaxation: "TIME_WITHOUT_ZONE",
    keywords: ["format"],
    apply: (place, { format }) => format === "date-time" && setTime(place, withZone),
  },
];

function setTime(place: Place, read: (text: string) => string | undefined): boolean {
  const value = place.of[place.key];
  const time = isText(value) ? read(value) : undefined;
  return time !== undefined && set(place, time);
}
