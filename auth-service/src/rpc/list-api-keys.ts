import type { ListApiKeysRequest, ListApiKeysResponse } from "@chargemesh/contracts/auth/v1/api_key_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { listApiKeyRows } from "../db/api-key.ts";
import { toApiKey } from "../resources.ts";
import { ownerSeenBy } from "./own-api-keys.ts";
import { readTimeCursor } from "./time-cursor.ts";
import type { TokenDeps } from "./token-services.ts";

export const listApiKeys =
  ({ db }: Pick<TokenDeps, "db">) =>
  async (request: ListApiKeysRequest, { caller }: Call): Promise<ListApiKeysResponse> => {
    const size = pageSize(request.pageSize);
    const cursor = readTimeCursor(request.pageToken);
    const owner = ownerSeenBy(caller);
    const asked = request.userId === "" ? undefined : request.userId.toLowerCase();
    // Who sees only their own and asks for another's sees nothing.
    if (owner !== undefined && asked !== undefined && asked !== owner) return { apiKeys: [], nextPageToken: "" };
    const read = await listApiKeyRows(db, size + 1, cursor, owner ?? asked);
    const { rows, nextPageToken } = toPage(read, size, ({ create_time, id }) => [create_time.toISOString(), id]);
    return { apiKeys: rows.map(toApiKey), nextPageToken };
  };
