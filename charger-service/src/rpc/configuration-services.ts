import { ConfigurationServiceService } from "@chargemesh/contracts/charger/v1/configuration_service";
import { DataTransferServiceService } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import { LocalListServiceService } from "@chargemesh/contracts/charger/v1/local_list_service";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import { createVendorMessage } from "./create-vendor-message.ts";
import { deleteVendorMessage } from "./delete-vendor-message.ts";
import type { RpcDeps } from "./deps.ts";
import { deselectIdToken } from "./deselect-id-token.ts";
import { getConfigurationKey } from "./get-configuration-key.ts";
import { getLocalList } from "./get-local-list.ts";
import { listConfigurationKeys } from "./list-configuration-keys.ts";
import { listDataTransfers } from "./list-data-transfers.ts";
import { listLocalListEntries } from "./list-local-list-entries.ts";
import { listSelectedIdTokens } from "./list-selected-id-tokens.ts";
import { listVendorMessages } from "./list-vendor-messages.ts";
import { refreshConfiguration } from "./refresh-configuration.ts";
import { releaseConfigurationKey } from "./release-configuration-key.ts";
import { selectIdToken } from "./select-id-token.ts";
import { syncLocalList } from "./sync-local-list.ts";
import { transferData } from "./transfer-data.ts";
import { updateConfigurationKey } from "./update-configuration-key.ts";
import { updateLocalList } from "./update-local-list.ts";
import { updateVendorMessage } from "./update-vendor-message.ts";

/** Every rpc of how chargers are set up. */
export function configurationRegistrations(deps: RpcDeps): Registration[] {
  return [
    serve(ConfigurationServiceService, {
      getConfigurationKey: getConfigurationKey(deps),
      listConfigurationKeys: listConfigurationKeys(deps),
      updateConfigurationKey: updateConfigurationKey(deps),
      releaseConfigurationKey: releaseConfigurationKey(deps),
      refreshConfiguration: refreshConfiguration(deps),
    }),
    serve(LocalListServiceService, {
      getLocalList: getLocalList(deps),
      updateLocalList: updateLocalList(deps),
      syncLocalList: syncLocalList(deps),
      listLocalListEntries: listLocalListEntries(deps),
      selectIdToken: selectIdToken(deps),
      deselectIdToken: deselectIdToken(deps),
      listSelectedIdTokens: listSelectedIdTokens(deps),
    }),
    serve(DataTransferServiceService, {
      transferData: transferData(deps),
      listDataTransfers: listDataTransfers(deps),
      createVendorMessage: createVendorMessage(deps),
      listVendorMessages: listVendorMessages(deps),
      updateVendorMessage: updateVendorMessage(deps),
      deleteVendorMessage: deleteVendorMessage(deps),
    }),
  ];
}
