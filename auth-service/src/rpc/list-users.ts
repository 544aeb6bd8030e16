import type { ListUsersRequest, ListUsersResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { listUserRows } from "../db/user.ts";
import { toUser } from "../resources.ts";
import type { Deps } from "./index.ts";
import { readTimeCursor } from "./time-cursor.ts";

export const listUsers =
  ({ db }: Pick<Deps, "db">) =>
  async (request: ListUsersRequest): Promise<ListUsersResponse> => {
    const size = pageSize(request.pageSize);
    const read = await listUserRows(db, size + 1, readTimeCursor(request.pageToken));
    const { rows, nextPageToken } = toPage(read, size, ({ create_time, id }) => [create_time.toISOString(), id]);
    return { users: rows.map(toUser), nextPageToken };
  };
