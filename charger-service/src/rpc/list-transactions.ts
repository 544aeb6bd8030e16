import type { ListTransactionsRequest, ListTransactionsResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { TRANSACTION_ID_MAX, transactionsBefore } from "../db/transaction.ts";
import { toTransaction } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said, text } from "./request.ts";

export const listTransactions =
  ({ db }: RpcDeps) =>
  async (request: ListTransactionsRequest, { caller }: Call): Promise<ListTransactionsResponse> => {
    const size = pageSize(request.pageSize);
    const before = readNumberToken(request.pageToken, TRANSACTION_ID_MAX);
    const found = await transactionsBefore(db, before, size + 1, {
      chargerId: text(request.chargerId),
      idToken: text(request.idToken),
      state: said(request.state),
      userId: limitedTo(caller),
    });
    const { rows, nextPageToken } = toPage(found, size, ({ id }) => [id]);
    return { transactions: rows.map(toTransaction), nextPageToken };
  };
