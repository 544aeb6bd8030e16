/** Of what others claim or explain, no more is of use; and an index holds no row of more than 2,704 bytes. */
const CHARACTERS_MAX = 255;

/** A text that anybody may have sent, as a column can hold it: not too long, and without U+0000, for which Postgres has no place. */
export function toColumn(text: string): string {
  return text.slice(0, CHARACTERS_MAX).replaceAll("\0", "\ufffd").toWellFormed();
}
