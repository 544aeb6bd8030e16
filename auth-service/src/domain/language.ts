import { badRequest } from "@chargemesh/kit/errors";

/** Those that users can be written to in. The first one is for who has said nothing. */
const OFFERED = ["en", "de"] as const;

export type Language = (typeof OFFERED)[number];

export const DEFAULT_LANGUAGE: Language = "en";

/**
 * The language offered that a BCP 47 tag asks for: "de" for "de-CH"; for none the first.
 * INVALID_ARGUMENT, naming `field`, if it is no such tag or of a language that is not offered.
 */
export function offeredLanguage(tag: string, field: string): Language {
  if (tag === "") return DEFAULT_LANGUAGE;
  const language = languageOf(tag);
  if (language === undefined) throw badRequest([{ field, description: 'must be a BCP 47 tag, such as "de" or "de-CH"' }]);
  const offered = OFFERED.find((one) => one === language);
  if (offered === undefined) throw badRequest([{ field, description: `must be of a language that is offered: ${OFFERED.join(", ")}` }]);
  return offered;
}

/** Undefined if the tag is not well formed. */
function languageOf(tag: string): string | undefined {
  try {
    return new Intl.Locale(tag).language;
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}
