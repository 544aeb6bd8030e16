import type { DataTransfer, VendorMessage } from "@chargemesh/contracts/charger/v1/data_transfer";
import type { DataTransferRow, VendorMessageRow } from "../db/configuration-tables.ts";

export function toDataTransfer(row: DataTransferRow): DataTransfer {
  return {
    id: String(row.id),
    chargerId: row.charger_id,
    direction: row.direction,
    vendorId: row.vendor_id,
    messageId: row.message_id,
    data: row.data,
    status: row.status,
    answerData: row.answer_data,
    commandId: row.command_id ?? "",
    createTime: row.create_time,
  };
}

export function toVendorMessage(row: VendorMessageRow): VendorMessage {
  return {
    id: row.id,
    vendorId: row.vendor_id,
    messageId: row.message_id,
    answer: row.answer_status,
    answerData: row.answer_data,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}
