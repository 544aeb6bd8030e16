import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Seals short secrets that pass from one service to another by way of events and tables. */
export interface SealedTexts {
  /** In base64url; each time another text. */
  seal(text: string): string;
  /** Undefined if it was not sealed here, or for another purpose, or is not as it was. */
  open(sealed: string): string | undefined;
}

/** For one purpose, with a key of its own that whoever has `secret` can derive. */
export function makeSealedTexts(secret: string, purpose: string): SealedTexts {
  const key = Buffer.from(hkdfSync("sha256", secret, "", `chargemesh sealed ${purpose}`, 32));
  return {
    seal(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv);
      const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), encrypted]).toString("base64url");
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      const start = IV_BYTES + TAG_BYTES;
      if (bytes.length < start) return undefined;
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(IV_BYTES, start));
      const plain = decipher.update(bytes.subarray(start));
      try {
        return Buffer.concat([plain, decipher.final()]).toString("utf8");
      } catch {
        // All that final() can say is that the tag does not fit.
        return undefined;
      }
    },
  };
}
