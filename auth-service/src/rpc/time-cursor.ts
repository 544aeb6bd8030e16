import { badRequest } from "@chargemesh/kit/errors";
import { readPageToken } from "@chargemesh/kit/page";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where the page before ended, of a list by time and id; undefined on the first page. INVALID_ARGUMENT if it is not one of ours. */
export function readTimeCursor(token: string): { createTime: Date; id: string } | undefined {
  const cursor = readPageToken(token, 2);
  if (cursor === undefined) return undefined;
  const [time = "", id = ""] = cursor;
  const createTime = new Date(time);
  if (!Number.isNaN(createTime.getTime()) && UUID.test(id)) return { createTime, id };
  throw badRequest([{ field: "page_token", description: "must be a next_page_token of the same list" }]);
}
