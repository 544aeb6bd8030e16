import type { ListVendorRelaxationsRequest, ListVendorRelaxationsResponse } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { vendorRelaxationsBefore } from "../db/relaxation.ts";
import { toVendorRelaxation } from "../resources/relaxation.ts";
import type { RpcDeps } from "./deps.ts";
import { readTimeToken } from "./page-token.ts";

export const listVendorRelaxations =
  ({ db }: RpcDeps) =>
  async (request: ListVendorRelaxationsRequest): Promise<ListVendorRelaxationsResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTimeToken(request.pageToken, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const cursor = after && { createTime: after.time, id: after.text };
    const found = await vendorRelaxationsBefore(db, cursor, size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ create_time, id }) => [create_time.toISOString(), id]);
    return { vendorRelaxations: rows.map(toVendorRelaxation), nextPageToken };
  };
