/** The next number of a sequence that its seed decides: 0 ≤ x < 1. */
export type Random = () => number;

/** A sequence for `seed`: the same seed, the same numbers. Not for secrets. */
export function seededRandom(seed: string): Random {
  let state = hash(seed);
  // A Weyl sequence, scrambled by the finalizer of a 32-bit hash: one word of state for each charger.
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Evenly spread from `low` up to, but not with, `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}

/** How long until the next of events that come `mean` apart on average and know nothing of each other. */
export function waitOf(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/** One of `items`. RangeError if there is none. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}
