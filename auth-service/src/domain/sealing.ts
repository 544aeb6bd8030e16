import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from "node:crypto";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** 32 MiB and some 60 ms for each try at the secret. A process opens a key once. */
const SCRYPT: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** Encrypts `plain` with a key derived from `secret`: salt, iv, tag and ciphertext, one after the other. It opens only under the same `name`. */
export async function seal(secret: string, name: string, plain: Buffer): Promise<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, await deriveKey(secret, salt), iv).setAAD(Buffer.from(name));
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([salt, iv, cipher.getAuthTag(), encrypted]);
}

/** What was sealed; undefined if the secret or the name is another one, or the bytes are not as they were. */
export async function unseal(secret: string, name: string, sealed: Buffer): Promise<Buffer | undefined> {
  const ivStart = SALT_BYTES;
  const tagStart = ivStart + IV_BYTES;
  const start = tagStart + TAG_BYTES;
  const key = await deriveKey(secret, sealed.subarray(0, ivStart));
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(ivStart, tagStart), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(tagStart, start));
  const plain = decipher.update(sealed.subarray(start));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    // All that final() can say is that the tag does not fit.
    return undefined;
  }
}

function deriveKey(secret: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, KEY_BYTES, SCRYPT, (err, key) => (err === null ? resolve(key) : reject(err)));
  });
}
