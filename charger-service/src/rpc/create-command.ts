import type { CreateCommandRequest, CreateCommandResponse } from "@chargemesh/contracts/charger/v1/command_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { chargerById } from "../db/charger.ts";
import { noCharger } from "../domain/command.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Sends any OCPP call that we may send. */
export const createCommand =
  ({ db, commander }: RpcDeps) =>
  async (request: CreateCommandRequest, { caller, deadline }: Call): Promise<CreateCommandResponse> => {
    const { chargerId, action, payload = {}, ttlSeconds, idempotencyKey } = request;
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const row = await commander.send({ chargerId, action, payload, ttlSeconds, idempotencyKey, waitSeconds, userId: userOf(caller) });
    return { command: toCommand(row) };
  };
