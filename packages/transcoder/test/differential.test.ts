import { expect, test } from "vitest";
import { type Deviation, type Difference, deviations } from "./differential/deviations.ts";
import { randomJson } from "./differential/json-text.ts";
import { mutated } from "./differential/mutate.ts";
import { everything, ours, theirs } from "./differential/oracle.ts";
import { newChance } from "./differential/random.ts";
import { isSameJson } from "./differential/same-json.ts";

// Our codec beside @bufbuild/protobuf, over a message that holds every type and every well-known type. Another seed is another run.

const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 1);
const MESSAGES = 10_000;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
/** The order of fields and of the entries of maps is free, so both are brought into one. */
const isSameMessage = (one: Uint8Array, other: Uint8Array): boolean => {
  if (Buffer.compare(one, other) === 0) return true;
  const [first, second] = [theirs.canonical(one), theirs.canonical(other)];
  return first.ok && second.ok && first.value === second.value;
};

/** Both codecs' word on a text; undefined if it is the same. */
function differenceOf(json: string): Difference | undefined {
  const difference = { json, ours: ours.toBytes(json), theirs: theirs.toBytes(json) };
  if (difference.ours.ok !== difference.theirs.ok) return difference;
  if (!difference.ours.ok || !difference.theirs.ok) return undefined;
  return isSameMessage(difference.ours.value, difference.theirs.value) ? undefined : difference;
}

const explanationOf = (difference: Difference): Deviation | undefined => deviations.find((deviation) => deviation.explains(difference));

const told = ({ json, ours: we, theirs: they }: Difference): string =>
  `${json}\n  we: ${we.ok ? hex(we.value) : we.reason}\n  they: ${they.ok ? hex(they.value) : they.reason}`;

test.each(deviations.flatMap(({ what, examples }) => examples.map(([json, our]) => [what, json, our] as const)))(
  "%s: %s",
  (what, json, our) => {
    const difference = differenceOf(json);
    if (difference === undefined) throw new Error("there is no difference any more");
    expect(explanationOf(difference)?.what, told(difference)).toBe(what);
    if (difference.ours.ok) expect(hex(difference.ours.value)).toBe(our);
    else expect(difference.ours.reason).toMatch(new RegExp(`${our.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`));
  },
);

test(`${MESSAGES} messages are the same bytes from JSON, and the same JSON from bytes`, () => {
  const chance = newChance(SEED);
  let compared = 0;
  for (let count = 0; count < MESSAGES; count++) {
    const json = randomJson(everything, chance);
    const difference = differenceOf(json);
    if (difference !== undefined && explanationOf(difference) === undefined) throw new Error(told(difference));
    const bytes = theirs.toBytes(json);
    if (!bytes.ok) throw new Error(`${json}: ${bytes.reason}`);
    const [our, their] = [ours.toJson(bytes.value), theirs.toJson(bytes.value)];
    if (!our.ok || !their.ok || !isSameJson(our.value, their.value))
      throw new Error(`${hex(bytes.value)}\n${JSON.stringify([our, their])}`);
    // Nothing was lost: what we wrote is the message again, to both.
    for (const codec of [ours, theirs]) {
      const again = codec.toBytes(our.value);
      if (!again.ok || !isSameMessage(again.value, bytes.value)) throw new Error(`${our.value}\n${JSON.stringify(again)}`);
    }
    compared++;
  }
  expect(compared).toBe(MESSAGES);
}, 60_000);

test(`${MESSAGES} malformed texts are taken or refused alike, but for the deviations`, () => {
  const chance = newChance(SEED + 1);
  const seen = { taken: 0, refused: 0, explained: 0 };
  for (let count = 0; count < MESSAGES; count++) {
    const json = mutated(randomJson(everything, chance), chance);
    const difference = differenceOf(json);
    if (difference === undefined) seen[ours.toBytes(json).ok ? "taken" : "refused"]++;
    else if (explanationOf(difference) !== undefined) seen.explained++;
    else throw new Error(told(difference));
  }
  // Chance has hit both kinds, and the deviations are what they are: exceptions.
  expect(seen.taken).toBeGreaterThan(MESSAGES / 10);
  expect(seen.refused).toBeGreaterThan(MESSAGES / 3);
  expect(seen.explained).toBeLessThan(MESSAGES / 20);
}, 60_000);

test("messages that are put together, or cut, are the same JSON or refused alike", () => {
  const chance = newChance(SEED + 2);
  const randomBytes = (): Buffer => {
    const bytes = theirs.toBytes(randomJson(everything, chance));
    return Buffer.from(bytes.ok ? bytes.value : []);
  };
  const seen = { taken: 0, refused: 0 };
  for (let count = 0; count < 3_000; count++) {
    const whole = Buffer.concat([randomBytes(), randomBytes()]);
    for (const bytes of [whole, whole.subarray(0, chance.below(whole.length + 1))]) {
      const [our, their] = [ours.toJson(bytes), theirs.toJson(bytes)];
      if (our.ok !== their.ok || (our.ok && their.ok && !isSameJson(our.value, their.value)))
        throw new Error(`${hex(bytes)}\n${JSON.stringify([our, their])}`);
      seen[our.ok ? "taken" : "refused"]++;
    }
  }
  expect(seen.taken).toBeGreaterThan(3_000);
  expect(seen.refused).toBeGreaterThan(1_500);
}, 60_000);
