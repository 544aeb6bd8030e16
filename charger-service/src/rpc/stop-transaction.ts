import type { StopTransactionRequest, StopTransactionResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { commandByKey } from "../db/command.ts";
import { existingTransaction } from "../domain/transaction.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Asks the charger to stop a transaction. */
export const stopTransaction =
  ({ db, commander }: RpcDeps) =>
  async (request: StopTransactionRequest, { caller, deadline }: Call): Promise<StopTransactionResponse> => {
    const { ttlSeconds, idempotencyKey } = request;
    const { id, charger_id: chargerId, state } = await existingTransaction(db, request.id, limitedTo(caller));
    // A repeat gets the first one's command, even if it was that which stopped the transaction.
    const first = idempotencyKey === "" ? undefined : await commandByKey(db, chargerId, idempotencyKey, userOf(caller));
    if (first === undefined && state === "STOPPED") {
      throw new AppError("failedPrecondition", "TRANSACTION_STOPPED", `Transaction ${id} has stopped.`);
    }
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds, idempotencyKey, userId: userOf(caller) };
    const question = { kind: "remoteStop", transactionId: id } as const;
    return { command: toCommand(await commander.ask({ ...asking, question, field: "id" })) };
  };
