import type { UpdateVendorMessageRequest, UpdateVendorMessageResponse } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import { badRequest } from "@chargemesh/kit/errors";
import { changeKnown } from "../domain/data-transfer.ts";
import { toVendorMessage } from "../resources/data-transfer.ts";
import type { RpcDeps } from "./deps.ts";
import { mustSay, readUpdateMask } from "./request.ts";
import { readStorable } from "./storable.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Changes how a message of a vendor is answered. */
export const updateVendorMessage =
  ({ db }: RpcDeps) =>
  async ({ vendorMessage, updateMask }: UpdateVendorMessageRequest): Promise<UpdateVendorMessageResponse> => {
    if (vendorMessage === undefined) throw badRequest([{ field: "vendor_message", description: "is required" }]);
    const { id, answer, answerData } = vendorMessage;
    if (!UUID.test(id)) throw badRequest([{ field: "vendor_message.id", description: "must be a UUID" }]);
    const mask = readUpdateMask(updateMask, ["answer", "answer_data"]);
    const row = await changeKnown(db, id, {
      ...(mask.has("answer") ? { answer_status: mustSay("vendor_message.answer", answer) } : {}),
      ...(mask.has("answer_data") ? { answer_data: readStorable("vendor_message.answer_data", answerData) } : {}),
    });
    return { vendorMessage: toVendorMessage(row) };
  };
