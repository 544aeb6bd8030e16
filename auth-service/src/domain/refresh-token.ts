import { createHash, randomBytes } from "node:crypto";

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

/** Another token of the same family. */
export function nextToken(text: string): RefreshToken {
  const family = Buffer.from(text, "base64url").subarray(0, FAMILY_BYTES);
  return tokenOf(Buffer.concat([family, randomBytes(OWN_BYTES)]));
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
