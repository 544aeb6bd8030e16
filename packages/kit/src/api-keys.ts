import { createHash, randomBytes } from "node:crypto";
import { AppError } from "./errors.ts";
import type { Role, UserCaller } from "./identity.ts";
import { makeMemory } from "./memory.ts";

/** What every API key begins with, so that people and scanners of leaked secrets know one. */
export const API_KEY_PREFIX = "cmk_";
const SECRET_BYTES = 32;
const PATTERN = /^cmk_[\w-]{43}$/;
/** How long what a key stands for is kept, in ms: so long a revoked one may still be taken. */
const KEEP_MS = 30_000;
const KEPT_MAX = 10_000;
/** A stream that a key has opened ends after this, in ms, as it would with an access token: a revoked one must not read on. */
const STREAM_MS = 5 * 60_000;

/** What an API key stands for. */
export interface ApiKeyIdentity {
  id: string;
  userId: string;
  username: string;
  role: Role;
  scopes: readonly string[];
  /** The chargers that it is restricted to; empty means all. */
  chargerIds: readonly string[];
  /** In ms since 1970. */
  expireTime: number;
}

/** Finds out what the key with this hash stands for; undefined if it is not good. */
export type IdentifyApiKey = (secretHash: Buffer) => Promise<ApiKeyIdentity | undefined>;

/** Makes a key that nobody can guess. */
export function makeApiKeySecret(): string {
  return API_KEY_PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
}

/** What is kept of a key, and asked about. 256 random bits need no slow hash. */
export function hashApiKey(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Tells who shows an API key. UNAUTHENTICATED if it is not good. */
export function makeApiKeyReader(identify: IdentifyApiKey): (secret: string) => Promise<UserCaller> {
  const remember = makeMemory<ApiKeyIdentity>(KEEP_MS, KEPT_MAX);
  return async (secret) => {
    const hash = PATTERN.test(secret) ? hashApiKey(secret) : undefined;
    const identity = hash && (await remember(hash.toString("base64"), () => identify(hash)));
    const now = Date.now();
    if (identity === undefined || identity.expireTime <= now)
      throw new AppError("unauthenticated", "API_KEY_INVALID", "The API key is unknown, has expired or was revoked.");
    const { id, userId, username, role, scopes, chargerIds } = identity;
    const expireTime = Math.min(identity.expireTime, now + STREAM_MS);
    return { kind: "user", userId, username, role, expireTime, credential: { kind: "apiKey", id, scopes, chargerIds } };
  };
}

/** Whether one of `scopes` covers `needed`, which has no wildcards: "charger.*:read" covers "charger.transactions:read". */
export function coversScope(scopes: readonly string[], needed: string): boolean {
  const [, inPackage, noun, action] = /^(.*)\.([^.:]+):(\w+)$/.exec(needed) ?? [];
  const nouns = ["*", `${inPackage}.*`, `${inPackage}.${noun}`];
  return scopes.some((scope) => nouns.some((one) => scope === `${one}:*` || scope === `${one}:${action}`));
}
