import type { GetVendorRelaxationRequest, GetVendorRelaxationResponse } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { vendorRelaxationById } from "../db/relaxation.ts";
import { noVendorRelaxation } from "../domain/vendor-relaxation.ts";
import { toVendorRelaxation } from "../resources/relaxation.ts";
import type { RpcDeps } from "./deps.ts";

export const getVendorRelaxation =
  ({ db }: RpcDeps) =>
  async ({ id }: GetVendorRelaxationRequest): Promise<GetVendorRelaxationResponse> => {
    const row = await vendorRelaxationById(db, id);
    if (row === undefined) throw noVendorRelaxation(id);
    return { vendorRelaxation: toVendorRelaxation(row) };
  };
