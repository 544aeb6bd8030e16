import type { ListCommandsRequest, ListCommandsResponse } from "@chargemesh/contracts/charger/v1/command_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { commandsBefore } from "../db/command.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";

export const listCommands =
  ({ db }: RpcDeps) =>
  async (request: ListCommandsRequest, { caller }: Call): Promise<ListCommandsResponse> => {
    const size = pageSize(request.pageSize);
    const before = readNumberToken(request.pageToken);
    const found = await commandsBefore(db, request.chargerId, before, size + 1, limitedTo(caller));
    const { rows, nextPageToken } = toPage(found, size, ({ number }) => [number]);
    return { commands: rows.map(toCommand), nextPageToken };
  };
