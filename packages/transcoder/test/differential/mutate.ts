import type { Chance } from "./random.ts";

/** What stands where something else belongs. */
const values = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "1.5",
  "1e400",
  "1e3",
  "99999999999999999999",
  "2147483648",
  "4294967296",
  "-129",
  '""',
  '"x"',
  '"1"',
  '"1.0"',
  '"1.5"',
  '" 1"',
  '"0x1"',
  '"1e2"',
  '"true"',
  '"NaN"',
  '"-Infinity"',
  '"inf"',
  '"COLOUR_RED"',
  '"colour_red"',
  '"AA="',
  '"A"',
  '"a_b"',
  '"aB,"',
  '"2026-02-29T00:00:00Z"',
  '"2026-13-01T00:00:00Z"',
  '"2026-01-01T00:00:00"',
  '"2026-01-01t00:00:00z"',
  '"2026-01-01T24:00:00Z"',
  '"1.s"',
  '".5s"',
  '"1.0000000001s"',
  '"315576000001s"',
  '"+1s"',
  '"1"',
  "[]",
  "{}",
  "[null]",
  "[0]",
  "[[]]",
  '{"a":1}',
  '{"a":null}',
  '{"1":"x"}',
  '{"value":1}',
  '{"@type":1}',
  '{"@type":"x"}',
  '{"@type":"/every.v1.Everything.Nested"}',
  '{"@type":"type.googleapis.com/no.Such"}',
];

const characters = [...'{}[]:,"\\0123456789.-+eEtfn \u0000\u00e9/_u'];

/** Where a value may stand in JSON: after a colon, a bracket or a comma, up to the next sign that ends it. */
const scalarValue = /(?<=[:,[]\s*)(?:"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[\s*\]|\{\s*\})(?=\s*[,\]}])/g;
const member = /"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/g;

/** The same JSON with something wrong in it, most of the time. */
export function mutated(json: string, chance: Chance): string {
  // What is cut in two is no text any more, and could not be sent.
  return mutation(json, chance).toWellFormed();
}

function mutation(json: string, chance: Chance): string {
  switch (chance.below(7)) {
    case 0:
      return withCharacter(json, chance);
    case 1:
      return json.slice(0, chance.below(json.length));
    case 2:
      return replaceOne(json, member, chance, (found) => `${found},${found}`);
    case 3:
      return replaceOne(
        json,
        member,
        chance,
        (found) => `"${chance.pick(["nope", "a_nested.name", "__proto__", "@type", "constructor", "value"])}":1,${found}`,
      );
    default:
      return replaceOne(json, scalarValue, chance, () => chance.pick(values));
  }
}

function withCharacter(json: string, chance: Chance): string {
  const at = chance.below(json.length + 1);
  return json.slice(0, at) + chance.pick(characters) + json.slice(at + chance.below(2));
}

function replaceOne(json: string, pattern: RegExp, chance: Chance, replacement: (found: string) => string): string {
  const places = [...json.matchAll(pattern)];
  if (places.length === 0) return withCharacter(json, chance);
  const place = chance.pick(places);
  return json.slice(0, place.index) + replacement(place[0]) + json.slice(place.index + place[0].length);
}
