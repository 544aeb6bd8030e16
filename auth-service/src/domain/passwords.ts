import { randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import { makeQueue } from "./queue.ts";

/** What a password costs to try: argon2id's parameters. */
export interface Argon2 {
  memoryKib: number;
  iterations: number;
  parallelism: number;
}

export interface Passwords {
  /** The hash to keep, in PHC format. */
  hash(password: string, signal: AbortSignal): Promise<string>;
  /** Whether the hash is of this password. Without a hash it takes as long, and is false. */
  verify(hashed: string | undefined, password: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a hash costs less to try than the settings say, which may have risen since it was made. */
  isOutdated(hashed: string): boolean;
}

/** At 20 ms each and two at once the last one waits for some 600 ms; whoever waits longer asks again, which helps nobody. */
const HASHES_WAITING_MAX = 64;

/** Hashes passwords with argon2id, a few at once: each takes its share of memory, and one of the threads that sign tokens too. */
export function makePasswords({ memoryKib, iterations, parallelism }: Argon2, hashesAtOnce: number): Passwords {
  const options = { memoryCost: memoryKib, timeCost: iterations, parallelism };
  const queue = makeQueue(hashesAtOnce, HASHES_WAITING_MAX);
  // Of nobody's password: who asks for an unknown user must not be told so by a quick answer.
  const nobody = hash(randomBytes(32), options);
  return {
    hash: (password, signal) => queue(() => hash(normal(password), options), signal),
    verify: (hashed, password, signal) =>
      queue(async () => {
        const matches = await verify(hashed ?? (await nobody), normal(password));
        return matches && hashed !== undefined;
      }, signal),
    isOutdated(hashed) {
      const [, memory, passes] = /\$m=(\d+),t=(\d+),/.exec(hashed) ?? [];
      return Number(memory) < memoryKib || Number(passes) < iterations;
    },
  };
}

/** The same password, whichever way a keyboard composes its letters (RFC 8265, OpaqueString). */
function normal(password: string): string {
  return password.normalize("NFC");
}
