import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** What all tokens of a session have in common, and what each has for itself. Neither can be guessed. */
const FAMILY_BYTES = 16;
const OWN_BYTES = 32;

/** A refresh token: what the user keeps, and what we do. */
export interface RefreshToken {
  text: string;
  familyHash: Buffer;
  hash: Buffer;
}

/** The first token of a new family. */
export function firstToken(): RefreshToken {
  return tokenOf(randomBytes(FAMILY_BYTES + OWN_BYTES));
}

/** With what tokens are made from those before them. Whoever shows a token cannot tell the next one. */
export function refreshKeyOf(keySecret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", keySecret, "", "chargemesh refresh tokens", 32));
}

/** The one token of the family that follows `text`, always the same: who asks twice is answered alike. */
export function nextToken(refreshKey: Buffer, text: string): RefreshToken {
  const bytes = Buffer.from(text, "base64url");
  return tokenOf(Buffer.concat([bytes.subarray(0, FAMILY_BYTES), createHmac("sha256", refreshKey).update(bytes).digest()]));
}

/** The token that somebody shows; undefined if it is none. */
export function readToken(text: string): RefreshToken | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === FAMILY_BYTES + OWN_BYTES && bytes.toString("base64url") === text ? tokenOf(bytes) : undefined;
}

function tokenOf(bytes: Buffer): RefreshToken {
  return { text: bytes.toString("base64url"), familyHash: sha256(bytes.subarray(0, FAMILY_BYTES)), hash: sha256(bytes) };
}

/** Random bytes need no slow hash. */
function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
