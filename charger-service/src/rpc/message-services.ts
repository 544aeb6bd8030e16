import { ChargerMessageServiceService } from "@chargemesh/contracts/charger/v1/charger_message_service";
import { RelaxationServiceService } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import { createVendorRelaxation } from "./create-vendor-relaxation.ts";
import { deleteVendorRelaxation } from "./delete-vendor-relaxation.ts";
import type { RpcDeps } from "./deps.ts";
import { getVendorRelaxation } from "./get-vendor-relaxation.ts";
import { listChargerMessages } from "./list-charger-messages.ts";
import { listRelaxationUses } from "./list-relaxation-uses.ts";
import { listVendorRelaxations } from "./list-vendor-relaxations.ts";
import { updateVendorRelaxation } from "./update-vendor-relaxation.ts";

/** What chargers and we say to each other, and where that may depart from OCPP. */
export function messageRegistrations(deps: RpcDeps): Registration[] {
  return [
    serve(ChargerMessageServiceService, { listChargerMessages: listChargerMessages(deps) }),
    serve(RelaxationServiceService, {
      listRelaxationUses: listRelaxationUses(deps),
      createVendorRelaxation: createVendorRelaxation(deps),
      getVendorRelaxation: getVendorRelaxation(deps),
      listVendorRelaxations: listVendorRelaxations(deps),
      updateVendorRelaxation: updateVendorRelaxation(deps),
      deleteVendorRelaxation: deleteVendorRelaxation(deps),
    }),
  ];
}
