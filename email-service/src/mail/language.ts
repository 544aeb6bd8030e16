/** The languages that mails are written in. */
export const languages = ["en", "de"] as const;

export type Language = (typeof languages)[number];

/** The language to write in to somebody whose language is `tag` (BCP 47: "de-AT"): that one if mails are written in it, else English. */
export function readLanguage(tag: string): Language {
  const primary = tag.split(/[-_]/, 1)[0]?.toLowerCase();
  return languages.find((language) => language === primary) ?? "en";
}
