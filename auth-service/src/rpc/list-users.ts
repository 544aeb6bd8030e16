import type { ListUsersRequest, ListUsersResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { badRequest } from "@chargemesh/kit/errors";
import { pageSize, readPageToken, toPage } from "@chargemesh/kit/page";
import { listUserRows } from "../db/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const listUsers =
  ({ db }: Pick<Deps, "db">) =>
  async (request: ListUsersRequest): Promise<ListUsersResponse> => {
    const size = pageSize(request.pageSize);
    const read = await listUserRows(db, size + 1, readCursor(request.pageToken));
    const { rows, nextPageToken } = toPage(read, size, ({ create_time, id }) => [create_time.toISOString(), id]);
    return { users: rows.map(toUser), nextPageToken };
  };

function readCursor(token: string): { createTime: Date; id: string } | undefined {
  const cursor = readPageToken(token, 2);
  if (cursor === undefined) return undefined;
  const [time = "", id = ""] = cursor;
  const createTime = new Date(time);
  if (!Number.isNaN(createTime.getTime()) && UUID.test(id)) return { createTime, id };
  throw badRequest([{ field: "page_token", description: "must be a next_page_token of the same list" }]);
}
