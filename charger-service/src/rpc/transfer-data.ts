import type { TransferDataRequest, TransferDataResponse } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { toCommand } from "../resources.ts";
import { readAsking } from "./asking.ts";
import type { RpcDeps } from "./deps.ts";
import { readStorable } from "./storable.ts";

/** Sends a charger a message of its vendor's own. */
export const transferData =
  ({ commander }: RpcDeps) =>
  async (request: TransferDataRequest, call: Call): Promise<TransferDataResponse> => {
    const { vendorId, messageId, data } = request;
    for (const [field, text] of Object.entries({ vendor_id: vendorId, message_id: messageId, data: data ?? "" })) readStorable(field, text);
    const question = { kind: "transferData", vendorId, messageId, data } as const;
    return { command: toCommand(await commander.ask({ ...readAsking(request, call), question, field: "vendor_id" })) };
  };
