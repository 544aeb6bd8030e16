import { badRequest } from "@chargemesh/kit/errors";

/** A text that goes into a column, or into a frame. INVALID_ARGUMENT if it holds U+0000, for which neither has a place. */
export function readStorable(field: string, text: string): string {
  if (text.includes("\0")) throw badRequest([{ field, description: "must not hold the character U+0000" }]);
  return text;
}
