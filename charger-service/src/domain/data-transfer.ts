import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact, violates } from "@chargemesh/kit/postgres";
import type { VendorAnswer, VendorMessageRow } from "../db/configuration-tables.ts";
import { deleteVendorMessage, insertTransfer, insertVendorMessage, updateVendorMessage, vendorMessages } from "../db/data-transfer.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { dataTransferReceived } from "../events.ts";

/** A message of a vendor's own; an empty message id is none. */
export interface Transfer {
  vendorId: string;
  messageId: string;
  data: string;
}

/** How it is answered; empty data is none. OCPP has the same words for it in every version. */
export interface TransferAnswer {
  status: "Accepted" | "Rejected" | "UnknownMessageId" | "UnknownVendorId";
  data: string;
}

const answers: Record<VendorAnswer, TransferAnswer["status"]> = { ACCEPTED: "Accepted", REJECTED: "Rejected" };

/** A charger has sent a message of its vendor's own: it is kept and told of if an operator has made it known. */
export function receiveTransfer(db: Db, chargerId: string, transfer: Transfer): Promise<TransferAnswer> {
  return transact(db, async (tx) => {
    const { isVendorKnown, message } = await vendorMessages(tx, transfer.vendorId, transfer.messageId);
    if (message === undefined) return { status: isVendorKnown ? "UnknownMessageId" : "UnknownVendorId", data: "" };
    const answer = { status: answers[message.answer_status], data: message.answer_data };
    await keepReceived(tx, chargerId, transfer, answer);
    return answer;
  });
}

/** Keeps a message of a charger with how it is answered, and tells of it. */
export async function keepReceived(tx: Db, chargerId: string, transfer: Transfer, answer: TransferAnswer): Promise<void> {
  await dataTransferReceived(tx, await insertTransfer(tx, { ...toRow(chargerId, transfer, answer), direction: "FROM_CHARGER" }));
}

/** Keeps a message to a charger with how it has answered. */
export async function keepSent(tx: Db, command: CommandRow, transfer: Transfer, answer: TransferAnswer): Promise<void> {
  await insertTransfer(tx, { ...toRow(command.charger_id, transfer, answer), direction: "TO_CHARGER", command_id: command.id });
}

function toRow(chargerId: string, { vendorId, messageId, data }: Transfer, answer: TransferAnswer) {
  return { charger_id: chargerId, vendor_id: vendorId, message_id: messageId, data, status: answer.status, answer_data: answer.data };
}

/** Makes a message of a vendor known. ALREADY_EXISTS if it is. */
export function makeKnown(
  db: Db,
  row: { vendor_id: string; message_id: string; answer_status: VendorAnswer; answer_data: string },
): Promise<VendorMessageRow> {
  return transact(db, async (tx) => {
    const made = await insertVendorMessage(tx, row);
    await recordAudit(tx, { resource: resourceOf(made), details: { vendorId: made.vendor_id, messageId: made.message_id } });
    return made;
  }).catch((err: unknown) => {
    if (!violates(err, "vendor_message_is_known_once")) throw err;
    throw new AppError("alreadyExists", "VENDOR_MESSAGE_EXISTS", `This message of ${row.vendor_id} is known already; case does not count.`);
  });
}

/** Changes how a message is answered. NOT_FOUND if there is none with this id. */
export function changeKnown(db: Db, id: string, change: { answer_status?: VendorAnswer; answer_data?: string }): Promise<VendorMessageRow> {
  return transact(db, async (tx) => {
    const row = await updateVendorMessage(tx, id, change);
    if (row === undefined) throw noVendorMessage(id);
    await recordAudit(tx, { resource: resourceOf(row), details: { answer: row.answer_status } });
    return row;
  });
}

/** Makes a message unknown again. NOT_FOUND if there is none with this id. */
export function forgetKnown(db: Db, id: string): Promise<void> {
  return transact(db, async (tx) => {
    const row = await deleteVendorMessage(tx, id);
    if (row === undefined) throw noVendorMessage(id);
    await recordAudit(tx, { resource: resourceOf(row), details: { vendorId: row.vendor_id, messageId: row.message_id } });
  });
}

const resourceOf = ({ id }: { id: string }): string => `vendorMessages/${id}`;

function noVendorMessage(id: string): AppError {
  return new AppError("notFound", "VENDOR_MESSAGE_NOT_FOUND", `No message of a vendor with the id ${id}.`);
}
