import type { CreateVendorRelaxationRequest, CreateVendorRelaxationResponse } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { badRequest } from "@chargemesh/kit/errors";
import { allowVendor } from "../domain/vendor-relaxation.ts";
import { toVendorRelaxation } from "../resources/relaxation.ts";
import type { RpcDeps } from "./deps.ts";
import { readVendorRelaxations } from "./vendor-relaxations.ts";

export const createVendorRelaxation =
  ({ db }: RpcDeps) =>
  async ({ vendorRelaxation }: CreateVendorRelaxationRequest): Promise<CreateVendorRelaxationResponse> => {
    if (!vendorRelaxation?.vendor) throw badRequest([{ field: "vendor_relaxation.vendor", description: "is required" }]);
    const { vendor, model, relaxations } = vendorRelaxation;
    return { vendorRelaxation: toVendorRelaxation(await allowVendor(db, { vendor, model }, readVendorRelaxations(relaxations))) };
  };
