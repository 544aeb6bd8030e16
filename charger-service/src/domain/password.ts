import { hash, randomBytes, timingSafeEqual } from "node:crypto";

const SALT_BYTES = 16;
/** 120 bits, in 20 characters: as many as OCPP 1.6 has bytes for an AuthorizationKey. */
const RANDOM_BYTES = 15;
const DIFFERENT_BYTES_MIN = 8;

/** A password that nobody can guess, in printable characters. */
export function makePassword(): string {
  return randomBytes(RANDOM_BYTES).toString("base64url");
}

/** What a charger shows as its password: the bytes that 32 to 40 hexadecimal digits stand for, or any other text as it is. */
export function passwordBytes(password: string): Buffer {
  return hexBytes(password) ?? Buffer.from(password);
}

/** The 16 to 20 bytes that a text of hexadecimal digits stands for; undefined if it is none. */
export function hexBytes(text: string): Buffer | undefined {
  return /^(?:[0-9a-f]{2}){16,20}$/i.test(text) ? Buffer.from(text, "hex") : undefined;
}

/** Whether a password is plainly too poor in different bytes, as `aaaa…` and `1212…` are. */
export function isPoor(password: Buffer): boolean {
  return new Set(password).size < DIFFERENT_BYTES_MIN;
}

/**
 * What is stored of a charger's password: a salt and one SHA-256.
 * One fast hash, because a made-up password cannot be guessed anyway, and a whole fleet that reconnects must be let in at once.
 */
export function hashPassword(password: Buffer): Buffer {
  const salt = randomBytes(SALT_BYTES);
  return Buffer.concat([salt, digest(salt, password)]);
}

/** Whether `password` is the one that this hash was kept of. */
export function matchesPassword(kept: Buffer, password: Buffer): boolean {
  return timingSafeEqual(digest(kept.subarray(0, SALT_BYTES), password), kept.subarray(SALT_BYTES));
}

function digest(salt: Buffer, password: Buffer): Buffer {
  return hash("sha256", Buffer.concat([salt, password]), "buffer");
}
