import type { CreateVendorMessageRequest, CreateVendorMessageResponse } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import { badRequest } from "@chargemesh/kit/errors";
import { makeKnown } from "../domain/data-transfer.ts";
import { toVendorMessage } from "../resources/data-transfer.ts";
import type { RpcDeps } from "./deps.ts";
import { said } from "./request.ts";
import { readStorable } from "./storable.ts";

/** Makes a message of a vendor known. */
export const createVendorMessage =
  ({ db }: RpcDeps) =>
  async ({ vendorMessage }: CreateVendorMessageRequest): Promise<CreateVendorMessageResponse> => {
    if (vendorMessage === undefined) throw badRequest([{ field: "vendor_message", description: "is required" }]);
    if (vendorMessage.vendorId === "") throw badRequest([{ field: "vendor_message.vendor_id", description: "is required" }]);
    const row = await makeKnown(db, {
      vendor_id: readStorable("vendor_message.vendor_id", vendorMessage.vendorId),
      message_id: readStorable("vendor_message.message_id", vendorMessage.messageId),
      answer_status: said(vendorMessage.answer) ?? "ACCEPTED",
      answer_data: readStorable("vendor_message.answer_data", vendorMessage.answerData),
    });
    return { vendorMessage: toVendorMessage(row) };
  };
