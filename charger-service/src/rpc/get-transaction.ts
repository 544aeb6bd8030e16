import type { GetTransactionRequest, GetTransactionResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { existingTransaction } from "../domain/transaction.ts";
import { toTransaction } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const getTransaction =
  ({ db }: RpcDeps) =>
  async ({ id }: GetTransactionRequest, { caller }: Call): Promise<GetTransactionResponse> => ({
    transaction: toTransaction(await existingTransaction(db, id, limitedTo(caller))),
  });
