import type { GetCommandRequest, GetCommandResponse } from "@chargemesh/contracts/charger/v1/command_service";
import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { commandById } from "../db/command.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const getCommand =
  ({ db }: RpcDeps) =>
  async ({ chargerId, id }: GetCommandRequest, { caller }: Call): Promise<GetCommandResponse> => {
    const row = await commandById(db, chargerId, id, limitedTo(caller));
    if (row === undefined) throw new AppError("notFound", "COMMAND_NOT_FOUND", `No command ${id} at charger ${chargerId}.`);
    return { command: toCommand(row) };
  };
