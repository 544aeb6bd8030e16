import type { StartTransactionRequest, StartTransactionResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { chargerById } from "../db/charger.ts";
import { commandByKey } from "../db/command.ts";
import { noCharger } from "../domain/command.ts";
import { toCommand } from "../resources.ts";
import { chosenIdToken } from "./chosen-id-token.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Asks a charger to start a transaction. */
export const startTransaction =
  ({ db, commander, clock }: RpcDeps) =>
  async (request: StartTransactionRequest, { caller, deadline }: Call): Promise<StartTransactionResponse> => {
    const { chargerId, connectorId, ttlSeconds, idempotencyKey } = request;
    const driver = limitedTo(caller);
    if (request.idToken === "" && driver === undefined) {
      throw badRequest([{ field: "id_token", description: "is required; only drivers may leave it out" }]);
    }
    const charger = await chargerById(db, chargerId);
    if (charger === undefined) throw noCharger(chargerId);
    // A repeat gets the first one's command, even if what that led to is now in its way.
    const first = idempotencyKey === "" ? undefined : await commandByKey(db, chargerId, idempotencyKey, userOf(caller));
    if (first === undefined && charger.availability === "UNAVAILABLE") {
      throw new AppError("failedPrecondition", "CHARGER_UNAVAILABLE", `Charger ${chargerId} is not available.`);
    }
    const idToken = first?.start_id_token ?? (await chosenIdToken(db, request.idToken, driver, "start", clock.now())).idToken;
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds, idempotencyKey, userId: userOf(caller) };
    const question = { kind: "remoteStart", idToken, connectorId, chargingProfile: undefined } as const;
    return { command: toCommand(await commander.ask({ ...asking, question, field: "id_token" })) };
  };
