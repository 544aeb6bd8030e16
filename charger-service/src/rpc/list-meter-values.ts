import type { ListMeterValuesRequest, ListMeterValuesResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { meterValuesAfter } from "../db/meter-value.ts";
import { existingTransaction } from "../domain/transaction.ts";
import { toMeterValue } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readTimeToken } from "./page-token.ts";

const PAGE = { ordinary: 200, max: 1_000 };

export const listMeterValues =
  ({ db }: RpcDeps) =>
  async (request: ListMeterValuesRequest, { caller }: Call): Promise<ListMeterValuesResponse> => {
    const size = pageSize(request.pageSize, PAGE);
    const after = readTimeToken(request.pageToken, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const { id } = await existingTransaction(db, request.transactionId, limitedTo(caller));
    const cursor = after === undefined ? undefined : { time: after.time, payloadHash: after.text };
    const found = await meterValuesAfter(db, id, cursor, size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ time, payload_hash }) => [time.toISOString(), payload_hash]);
    return { meterValues: rows.map(toMeterValue), nextPageToken };
  };
