import type { DeleteVendorRelaxationRequest, DeleteVendorRelaxationResponse } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { removeVendorRelaxation } from "../domain/vendor-relaxation.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteVendorRelaxation =
  ({ db }: RpcDeps) =>
  async ({ id }: DeleteVendorRelaxationRequest): Promise<DeleteVendorRelaxationResponse> => {
    await removeVendorRelaxation(db, id);
    return {};
  };
