import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SALT_BYTES = 16;
/** 160 bits, which is what OCPP has for an AuthorizationKey. */
const PASSWORD_BYTES = 20;

/** A password that nobody can guess, in printable characters. */
export function makePassword(): string {
  return randomBytes(PASSWORD_BYTES).toString("base64url");
}

/**
 * What is stored of a charger's password: a salt and one SHA-256.
 * One fast hash, because a made-up password cannot be guessed anyway, and a whole fleet that reconnects must be let in at once.
 */
export function hashPassword(password: string): Buffer {
  const salt = randomBytes(SALT_BYTES);
  return Buffer.concat([salt, digest(salt, Buffer.from(password))]);
}

/** Whether `password` is the one that `hash` was made of. */
export function matchesPassword(hash: Buffer, password: Buffer): boolean {
  return timingSafeEqual(digest(hash.subarray(0, SALT_BYTES), password), hash.subarray(SALT_BYTES));
}

function digest(salt: Buffer, password: Buffer): Buffer {
  return createHash("sha256").update(salt).update(password).digest();
}
