/** What mail programs show of a subject, and more. */
const SUBJECT_CHARACTERS_MAX = 150;

/**
 * Names and ids come from people and chargers: none may end a line, or turn the reading direction of what follows. Half a surrogate pair is
 * no character, and would be no UTF-8.
 */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim();
}

/** The subject as one line that no name makes endless. */
export function subjectOf({ subject }: { subject: string }): string {
  const characters = [...oneLine(subject)];
  return characters.length <= SUBJECT_CHARACTERS_MAX ? characters.join("") : `${characters.slice(0, SUBJECT_CHARACTERS_MAX - 1).join("")}…`;
}
