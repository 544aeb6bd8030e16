import type { UpdateVendorRelaxationRequest, UpdateVendorRelaxationResponse } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { badRequest } from "@chargemesh/kit/errors";
import { changeVendorRelaxation } from "../domain/vendor-relaxation.ts";
import { toVendorRelaxation } from "../resources/relaxation.ts";
import type { RpcDeps } from "./deps.ts";
import { readEtag, readUpdateMask } from "./request.ts";
import { readVendorRelaxations } from "./vendor-relaxations.ts";

export const updateVendorRelaxation =
  ({ db }: RpcDeps) =>
  async ({ vendorRelaxation, updateMask }: UpdateVendorRelaxationRequest): Promise<UpdateVendorRelaxationResponse> => {
    if (!vendorRelaxation?.id) throw badRequest([{ field: "vendor_relaxation.id", description: "is required" }]);
    readUpdateMask(updateMask, ["relaxations"]);
    const { id, etag, relaxations } = vendorRelaxation;
    return {
      vendorRelaxation: toVendorRelaxation(await changeVendorRelaxation(db, id, readEtag(etag), readVendorRelaxations(relaxations))),
    };
  };
