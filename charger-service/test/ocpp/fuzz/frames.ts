import { sample, schemasOf } from "../negative/faults.ts";
import type { Random } from "../random.ts";

// Frames that nobody should send: noise, and good frames that were spoilt in one or more places.

const requests = [...schemasOf("req")];
const responses = [...schemasOf("conf")];

/** What a charger says on a bad day: text, or bytes that are none. It may be a good frame by accident, but never costs the socket. */
export function wildFrame(random: Random): string | Buffer {
  const luck = random();
  if (luck < 0.1) return noise(random);
  if (luck < 0.15) return Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
  const frame = random.chance(0.8) ? call(random) : answer(random, `w-${random.below(1e9)}`);
  return luck < 0.55 ? JSON.stringify(spoilt(random, frame)) : scrambled(random, JSON.stringify(frame));
}

/** An answer to the CALL `id` of this action: good, spoilt, or not even an answer. */
export function wildAnswer(random: Random, id: string, action: string): string | Buffer {
  if (random.chance(0.2)) return wildFrame(random);
  const schema = responses.find(([name]) => name === action)?.[1] ?? {};
  const good = random.chance(0.8)
    ? [3, id, sample(schema, "all")]
    : [4, id, "GenericError", "", random.pick<unknown>([{}, "a text", null, 7])];
  return JSON.stringify(random.chance(0.5) ? good : spoilt(random, good));
}

/** What costs the socket: it is larger than any limit. */
export const deadlyFrame = "[".repeat(1_000_000);

function call(random: Random): unknown[] {
  const [action, schema] = random.pick(requests);
  return [2, `w-${random.below(1e9)}`, action, sample(schema, random.pick(["all", "required"] as const))];
}

function answer(random: Random, id: string): unknown[] {
  const [, schema] = random.pick(responses);
  return random.chance(0.7) ? [3, id, sample(schema, "all")] : [4, id, random.pick(words), "", {}];
}

const words = [
  "",
  "GenericError",
  "FormationViolation",
  "__proto__",
  "constructor",
  "\u0000",
  "\ud800",
  "🔌",
  "x".repeat(300),
  "' or true --",
  "0",
  "-1",
  "1e300",
  "99999999999",
  "true",
];

const numbers = [0, -1, 1e300, -1e300, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1.5, 1e-9];

/** Any JSON value. */
function value(random: Random, depth = 0): unknown {
  const luck = random();
  if (luck < 0.3) return random.pick<unknown>([null, true, false, ...numbers]);
  if (luck < 0.6 || depth > 3) return random.pick(words);
  const parts = Array.from({ length: random.below(4) }, () => value(random, depth + 1));
  return luck < 0.8 ? parts : Object.fromEntries(parts.map((part) => [random.pick([...words, "idTag", "connectorId", "timestamp"]), part]));
}

/** The same with something in it put in the place of something else, left out or added, once or more. */
function spoilt(random: Random, frame: unknown): unknown {
  if (random.chance(0.15)) return value(random);
  if (Array.isArray(frame)) {
    const parts: unknown[] = [...frame];
    const at = random.below(parts.length + 1);
    const luck = random();
    if (luck < 0.1) parts.splice(at, 1);
    else if (luck < 0.2) parts.splice(at, 0, value(random));
    // Mostly in the payload: what is not a frame is soon told.
    else if (parts.length > 0) parts.splice(-1, 1, spoilt(random, parts.at(-1)));
    return parts;
  }
  // Mostly what a schema takes and nobody has thought of.
  if (typeof frame === "number" && random.chance(0.7)) return random.pick(numbers);
  if (typeof frame === "string" && random.chance(0.5)) return random.pick(words);
  if (typeof frame !== "object" || frame === null) return value(random);
  const names = Object.keys(frame);
  if (names.length === 0 || random.chance(0.1)) return { ...frame, [random.pick(words)]: value(random) };
  const name = random.pick(names);
  const { [name]: own, ...rest } = frame as Record<string, unknown>;
  return random.chance(0.2) ? rest : { ...rest, [name]: spoilt(random, own) };
}

/** The same with characters of it left out, doubled, put elsewhere or replaced. */
function scrambled(random: Random, text: string): string {
  let scrambling = text;
  for (let n = random.below(4); n >= 0; n--) {
    const at = random.below(scrambling.length + 1);
    const length = 1 + random.below(random.chance(0.8) ? 3 : 60);
    const cut = scrambling.slice(at, at + length);
    const put = random.pick(["", cut + cut, random.pick('[]{}",:\\0e-. \u0000é🔌'.split("")), random.pick(words)]);
    scrambling = scrambling.slice(0, at) + put + scrambling.slice(at + length);
  }
  return scrambling.toWellFormed();
}

function noise(random: Random): string {
  const letters = '[]{}",:\\0123456789eE+-. \n\u0000aé🔌nulltruefalse';
  return Array.from({ length: random.below(200) }, () => letters[random.below(letters.length)])
    .join("")
    .toWellFormed();
}
