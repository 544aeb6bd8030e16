import type { ListVendorMessagesRequest, ListVendorMessagesResponse } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import { pageSize, readPageToken, toPage } from "@chargemesh/kit/page";
import { vendorMessagesAfter } from "../db/data-transfer.ts";
import { toVendorMessage } from "../resources/data-transfer.ts";
import type { RpcDeps } from "./deps.ts";
import { readStorable } from "./storable.ts";

export const listVendorMessages =
  ({ db }: RpcDeps) =>
  async (request: ListVendorMessagesRequest): Promise<ListVendorMessagesResponse> => {
    const size = pageSize(request.pageSize);
    const [vendorId, messageId] = (readPageToken(request.pageToken, 2) ?? []).map((text) => readStorable("page_token", text));
    const after = vendorId === undefined || messageId === undefined ? undefined : { vendorId, messageId };
    const found = await vendorMessagesAfter(db, after, size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ vendor_id, message_id }) => [vendor_id, message_id]);
    return { vendorMessages: rows.map(toVendorMessage), nextPageToken };
  };
