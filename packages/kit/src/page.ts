import { badRequest } from "./errors.ts";

/** How many rows a page has: what was asked for, within the limits. */
export function pageSize(asked: number, limits: { ordinary: number; max: number } = { ordinary: 50, max: 200 }): number {
  return asked === 0 ? limits.ordinary : Math.min(asked, limits.max);
}

/** What was read, one row more than a page, as a page and the token of the next one. */
export function toPage<R>(
  rows: R[],
  size: number,
  cursorOf: (row: R) => readonly (string | number)[],
): { rows: R[]; nextPageToken: string } {
  const last = rows.length > size ? rows[size - 1] : undefined;
  const nextPageToken = last === undefined ? "" : Buffer.from(JSON.stringify(cursorOf(last))).toString("base64url");
  return { rows: rows.slice(0, size), nextPageToken };
}

/** Where the page before ended: as many texts as the cursor has; undefined on the first page. INVALID_ARGUMENT if it is not one of ours. */
export function readPageToken(token: string, parts: number): string[] | undefined {
  if (token === "") return undefined;
  try {
    const cursor: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (Array.isArray(cursor) && cursor.length === parts) return cursor.map(String);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw badRequest([{ field: "page_token", description: "must be a next_page_token of the same list" }]);
}
