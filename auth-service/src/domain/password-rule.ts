import { AppError } from "@chargemesh/kit/errors";
import { dictionary } from "@zxcvbn-ts/language-common";

/** What people choose first, by frequency, in lower case. */
const common = dictionary["passwords-common"];
const isCommon = new Set(common);
/** Of these two in a row are a guess that is made early, too. */
const isVeryCommon = new Set(common.slice(0, 1_000));
const SERVICE = "chargemesh";
/** What is left of a password without what anybody knows of its user must be more than this many characters. */
const KNOWN_REST_MAX = 7;

/** Whose password it is to be: what others know of them. */
interface Owner {
  username: string;
  email: string | null;
}

/**
 * INVALID_ARGUMENT if a password is among those that are tried first (NIST SP 800-63B-4, 3.1.1.2): it is common, a short text over and over,
 * characters in their order, or little more than the names of its user and of this service. What it is composed of does not matter.
 * `field` is where the request has it.
 */
export function requireGoodPassword(password: string, owner: Owner, field: string): void {
  const fault = faultOf(password.normalize("NFC").toLowerCase(), owner);
  if (fault === undefined) return;
  const violations = [{ field, description: fault }];
  throw new AppError("invalidArgument", "PASSWORD_TOO_EASY", `The password ${fault}. Choose another one.`, { violations });
}

function faultOf(password: string, owner: Owner): string | undefined {
  if (isCommon.has(password) || isPairOfCommon(password)) return "is one that many people use";
  if (/^(.{1,8}?)\1+$/su.test(password)) return "is a short text over and over";
  if (isInOrder(password)) return "is only characters in their order";
  if (restOf(password, owner) <= KNOWN_REST_MAX) return "says little more than the name of the user or of this service";
  return undefined;
}

function isPairOfCommon(password: string): boolean {
  return Array.from(password, (_, i) => i).some((i) => isVeryCommon.has(password.slice(0, i)) && isVeryCommon.has(password.slice(i)));
}

/** 123456789012345, abcdefghijklmno, and the like backwards. */
function isInOrder(password: string): boolean {
  const steps = Array.from(password.slice(1), (character, i) => (character.charCodeAt(0) - password.charCodeAt(i) + 10) % 10);
  const isRun = (step: number): boolean => steps.every((one) => one === step);
  return /^\d+$/.test(password) ? isRun(1) || isRun(9) : /^[a-z]+$/.test(password) && isAlphabetical(password);
}

function isAlphabetical(password: string): boolean {
  const alphabet = "abcdefghijklmnopqrstuvwxyz".repeat(10);
  return alphabet.includes(password) || alphabet.includes([...password].reverse().join(""));
}

/** How many characters are left without the words that anybody knows. */
function restOf(password: string, { username, email }: Owner): number {
  const words = [username, username.split("@")[0], email, email?.split("@")[0], SERVICE]
    .map((word) => (word ?? "").normalize("NFC").toLowerCase())
    // A name of two letters is in every other text.
    .filter((word) => word.length > 2)
    .sort((a, b) => b.length - a.length);
  let rest = password;
  for (const word of words) rest = rest.replaceAll(word, "");
  return [...rest].length;
}
