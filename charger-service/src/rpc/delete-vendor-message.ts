import type { DeleteVendorMessageRequest, DeleteVendorMessageResponse } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import { forgetKnown } from "../domain/data-transfer.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteVendorMessage =
  ({ db }: RpcDeps) =>
  async ({ id }: DeleteVendorMessageRequest): Promise<DeleteVendorMessageResponse> => {
    await forgetKnown(db, id);
    return {};
  };
