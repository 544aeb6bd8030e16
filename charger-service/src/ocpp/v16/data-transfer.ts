import { transact } from "@chargemesh/kit/postgres";
import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { CommandRow, Db, Json } from "../../db/schema.ts";
import { keepReceived, keepSent, receiveTransfer, type TransferAnswer } from "../../domain/data-transfer.ts";
import type { QuestionOf } from "../../domain/question.ts";
import type { Said } from "../dialects.ts";
import type { Charger } from "../dispatch.ts";
import { requestOf, responseOf } from "./checked.ts";
import { handlerOf, type Vendor, vendors } from "./vendors/vendors.ts";

/** A vendor's own message (OCPP 1.6 §4.3), to the vendors that are known here or over the API. */
export const dataTransferTo =
  (known: readonly Vendor[]) =>
  async (charger: Charger, request: Req<V16, "DataTransfer">): Promise<Res<V16, "DataTransfer">> => {
    const transfer = { vendorId: request.vendorId, messageId: request.messageId ?? "", data: request.data ?? "" };
    const handle = handlerOf(known, transfer.vendorId, transfer.messageId);
    if (handle !== undefined) {
      const answer = await handle(charger, transfer.data);
      await transact(charger.db, (tx) => keepReceived(tx, charger.id, transfer, answer));
      return toResponse(answer);
    }
    const answer = await receiveTransfer(charger.db, charger.id, transfer);
    const isVendorHere = known.some(({ vendorId }) => vendorId.toLowerCase() === transfer.vendorId.toLowerCase());
    return toResponse(answer.status === "UnknownVendorId" && isVendorHere ? { ...answer, status: "UnknownMessageId" } : answer);
  };

export const dataTransfer = dataTransferTo(vendors);

function toResponse({ status, data }: TransferAnswer): Res<V16, "DataTransfer"> {
  return { status, ...(data === "" ? {} : { data }) };
}

/** Says a message of a vendor's own (§5.7). */
export function sayTransferData({ vendorId, messageId, data }: QuestionOf<"transferData">): Said {
  const payload = { vendorId, ...(messageId === "" ? {} : { messageId }), ...(data === undefined ? {} : { data }) };
  return { action: "DataTransfer", payload: payload satisfies Req<V16, "DataTransfer"> };
}

/** Keeps what a charger answered to one. */
export async function learnFromDataTransfer(tx: Db, command: CommandRow, response: Json): Promise<void> {
  const { vendorId, messageId = "", data = "" } = requestOf("DataTransfer", command);
  const answer = responseOf("DataTransfer", response);
  await keepSent(tx, command, { vendorId, messageId, data }, { status: answer.status, data: answer.data ?? "" });
}
