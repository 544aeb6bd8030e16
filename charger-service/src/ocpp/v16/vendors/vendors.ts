import type { TransferAnswer } from "../../../domain/data-transfer.ts";
import type { Charger } from "../../dispatch.ts";

// Messages of vendors' own that mean something to this service, beyond what operators make known over the API (VendorMessage).
//
// For a vendor whose messages are to do something here: a file beside this one that exports a Vendor, and a line in `vendors`. A message that
// is answered is kept, and told of by the event DataTransferReceived, as those are that operators make known.

/**
 * Answers one message of a vendor. `data` is as it came, empty if there was none; it may come again if the answer is lost.
 * What it writes into `charger.db` must be there before it answers. If it throws, the charger gets InternalError.
 */
export type VendorHandler = (charger: Charger, data: string) => Promise<TransferAnswer & { status: "Accepted" | "Rejected" }>;

/** A vendor and what answers its messages. */
export interface Vendor {
  /** As it stands in DataTransfer.req (OCPP 1.6 §4.3): the vendor's domain name backwards. Case does not count. */
  readonly vendorId: string;
  /** By message id in lower case; "" answers those without one. */
  readonly messages: Readonly<Record<string, VendorHandler>>;
}

/** Every vendor that is known here. */
export const vendors: readonly Vendor[] = [];

/** What answers a message; undefined if nothing here does. */
export function handlerOf(all: readonly Vendor[], vendorId: string, messageId: string): VendorHandler | undefined {
  const vendor = all.find((one) => one.vendorId.toLowerCase() === vendorId.toLowerCase());
  return vendor?.messages[messageId.toLowerCase()];
}
