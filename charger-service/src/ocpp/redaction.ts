import { createHmac, hkdfSync } from "node:crypto";
import { SECRET } from "../domain/command.ts";

/** Takes out of a frame what nobody is to read there: passwords, tokens of upload URLs, `secret` if there is one, and id tags if that is wanted. */
export type Redact = (text: string, secret: string | undefined) => string;

/** Stands for a frame that cannot be read, and so not be known to hold nothing secret. */
const HIDDEN = "(not kept: it cannot be read and may hold a secret)";
/** How much of a fingerprint is enough to tell id tags apart, in hexadecimal digits. */
const FINGERPRINT_DIGITS = 12;

/** The key under which 1.6 has the password of a charger, and those of vendors that say by their names what they hold. Case does not count (§7.22). */
const passwordKey = /authorizationkey|passw(or)?d|passphrase|secret/i;
const isPasswordKey = (key: unknown): boolean => typeof key === "string" && passwordKey.test(key);
/** Whether a field is the value beside such a key. What is refused for its spelling is kept here all the same. */
const isPasswordValue = (name: string, around: object): boolean =>
  /^value$/i.test(name) && Object.entries(around).some(([other, key]) => /^key$/i.test(other) && isPasswordKey(key));
/** The fields of an id tag, in whatever case: 1.6 has idTag and parentIdTag, 2.0.1 has idToken. */
const isIdTagField = (name: string): boolean => /^(?:parent)?id(?:tag|token)$/i.test(name);
/** What may have a password in it. With an escape in it, any text may. */
const passwordSigns = /authorizationkey|passw|passphrase|secret|\\u/i;
const idTagSigns = /id(?:tag|token)|\\u/i;
/** Slashes may be escaped. */
const userInfo = /(:(?:\\?\/){2}[^\s"/:@\\]*):[^\s"/\\]+@/g;
/** Of the URLs that we make for one file (32 bytes in base64url), wherever a charger repeats one. */
const fileToken = /(\\?\/(?:uploads|firmware)\\?\/)[\w-]{43}(?![\w-])/g;

/** With a secret of ours, id tags become fingerprints: the same for the same tag, and of no use to whoever does not have that secret. */
export function makeRedact(idTagSecret: string | undefined): Redact {
  const key = idTagSecret === undefined ? undefined : Buffer.from(hkdfSync("sha256", idTagSecret, "", "chargemesh id tags", 32));
  const fingerprint = (idTag: unknown): string => {
    const mac = createHmac("sha256", key ?? "").update(String(idTag).toLowerCase());
    return `~${mac.digest("hex").slice(0, FINGERPRINT_DIGITS)}`;
  };
  const read = (text: string, secret: string | undefined): string => {
    const pattern = secret === undefined ? undefined : new RegExp(RegExp.escape(secret), "gi");
    // `this` is what the value is in, so that a value is seen together with its key.
    const redactValue = function (this: object, name: string, value: unknown): unknown {
      if (isPasswordValue(name, this) || (isPasswordKey(name) && typeof value !== "object")) return SECRET;
      // JSON in a text, as vendors have it in DataTransfer.
      if (typeof value === "string" && /^\s*[{[]/.test(value) && passwordSigns.test(value)) return read(value, secret);
      if (key !== undefined && isIdTagField(name) && typeof value !== "object") return fingerprint(value);
      return typeof value === "string" && pattern !== undefined ? value.replaceAll(pattern, SECRET) : value;
    };
    try {
      return JSON.stringify(JSON.parse(text, redactValue));
    } catch {
      // No JSON, or nested too deep to look into.
      return HIDDEN;
    }
  };
  return (text, secret) => {
    const mustRead = secret !== undefined || passwordSigns.test(text) || (key !== undefined && idTagSigns.test(text));
    const seen = mustRead ? read(text, secret) : text;
    // Few frames have a URL.
    return seen.includes("/") ? seen.replace(userInfo, `$1:${SECRET}@`).replace(fileToken, `$1${SECRET}`) : seen;
  };
}
