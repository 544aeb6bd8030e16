import type { ListSelectedIdTokensRequest, ListSelectedIdTokensResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { chosenTokensAfter } from "../db/local-list-choice.ts";
import { existingList } from "../domain/local-list-choice.ts";
import type { RpcDeps } from "./deps.ts";
import { readTextToken } from "./page-token.ts";

export const listSelectedIdTokens =
  ({ db }: RpcDeps) =>
  async (request: ListSelectedIdTokensRequest): Promise<ListSelectedIdTokensResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTextToken(request.pageToken, /^[ -~]+$/);
    await existingList(db, request.chargerId);
    const found = await chosenTokensAfter(db, request.chargerId, after, size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ folded }) => [folded]);
    return { idTokens: rows.map(({ id_token }) => id_token), nextPageToken };
  };
