import type { ListIdTokensRequest, ListIdTokensResponse } from "@chargemesh/contracts/charger/v1/id_token_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { idTokensBefore } from "../db/id-token.ts";
import { toIdToken } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readTimeToken } from "./page-token.ts";
import { text } from "./request.ts";

export const listIdTokens =
  ({ db }: RpcDeps) =>
  async (request: ListIdTokensRequest, { caller }: Call): Promise<ListIdTokensResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTimeToken(request.pageToken, /^[ -~]+$/);
    const asked = text(request.userId)?.toLowerCase();
    const own = limitedTo(caller);
    // To a driver, others have none.
    if (own !== undefined && asked !== undefined && asked !== own) return { idTokens: [], nextPageToken: "" };
    const cursor = after === undefined ? undefined : { createTime: after.time, folded: after.text };
    const found = await idTokensBefore(db, cursor, size + 1, own ?? asked);
    const { rows, nextPageToken } = toPage(found, size, ({ create_time, folded }) => [create_time.toISOString(), folded]);
    return { idTokens: rows.map(toIdToken), nextPageToken };
  };
