import type { ListLocalListEntriesRequest, ListLocalListEntriesResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { entriesAfter } from "../db/local-list.ts";
import { existingList } from "../domain/local-list-choice.ts";
import { toLocalListEntry } from "../resources/local-list.ts";
import type { RpcDeps } from "./deps.ts";
import { readTextToken } from "./page-token.ts";

export const listLocalListEntries =
  ({ db }: RpcDeps) =>
  async (request: ListLocalListEntriesRequest): Promise<ListLocalListEntriesResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTextToken(request.pageToken, /^[ -~]+$/);
    await existingList(db, request.chargerId);
    const found = await entriesAfter(db, request.chargerId, after, size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ folded }) => [folded]);
    return { entries: rows.map(toLocalListEntry), nextPageToken };
  };
