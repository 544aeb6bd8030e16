import { badRequest } from "@chargemesh/kit/errors";
import { readPageToken } from "@chargemesh/kit/page";

// A page token comes back from outside, so what is in it is checked before it meets a column.

function notOurs(): Error {
  return badRequest([{ field: "page_token", description: "must be a next_page_token of the same list" }]);
}

/** Where a list by number goes on; undefined on the first page. INVALID_ARGUMENT if it is no number from 1 to `max`. */
export function readNumberToken(token: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const [number] = readPageToken(token, 1) ?? [];
  if (number === undefined) return undefined;
  if (!/^[1-9]\d{0,15}$/.test(number) || Number(number) > max) throw notOurs();
  return Number(number);
}

/** Where a list by text goes on; undefined on the first page. INVALID_ARGUMENT if the text does not match. */
export function readTextToken(token: string, pattern: RegExp): string | undefined {
  const [text] = readPageToken(token, 1) ?? [];
  if (text === undefined) return undefined;
  if (!pattern.test(text)) throw notOurs();
  return text;
}

/** Where a list by time and a text goes on; undefined on the first page. INVALID_ARGUMENT if either is not what it should be. */
export function readTimeToken(token: string, pattern: RegExp): { time: string; text: string } | undefined {
  const [time, text] = readPageToken(token, 2) ?? [];
  if (time === undefined || text === undefined) return undefined;
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) && !Number.isNaN(Date.parse(time));
  if (!isTime || !pattern.test(text)) throw notOurs();
  return { time, text };
}
