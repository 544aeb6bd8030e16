import type { Command } from "@chargemesh/contracts/charger/v1/command";
import type { ConfigurationKey } from "@chargemesh/contracts/charger/v1/configuration";
import {
  ConfigurationServiceClient,
  ListConfigurationKeysRequest,
  RefreshConfigurationRequest,
  UpdateConfigurationKeyRequest,
} from "@chargemesh/contracts/charger/v1/configuration_service";
import type { DataTransfer } from "@chargemesh/contracts/charger/v1/data_transfer";
import { VendorMessage } from "@chargemesh/contracts/charger/v1/data_transfer";
import { DataTransferServiceClient, TransferDataRequest } from "@chargemesh/contracts/charger/v1/data_transfer_service";
import type { LocalList, LocalListEntry } from "@chargemesh/contracts/charger/v1/local_list";
import { LocalListServiceClient, SyncLocalListRequest } from "@chargemesh/contracts/charger/v1/local_list_service";
import { credentials } from "@grpc/grpc-js";
import { call, given } from "../service.ts";
import type { Site } from "./site.ts";

/** What an operator does about how chargers are set up. */
export interface SetupDesk {
  key(chargerId: string, key: string): Promise<ConfigurationKey>;
  keys(chargerId: string, filter?: Partial<ListConfigurationKeysRequest>): Promise<ConfigurationKey[]>;
  want(chargerId: string, key: string, value: string, fields?: Partial<UpdateConfigurationKeyRequest>): Promise<ConfigurationKey>;
  release(chargerId: string, key: string): Promise<ConfigurationKey>;
  refresh(chargerId: string, fields?: Partial<RefreshConfigurationRequest>): Promise<Command>;
  list(chargerId: string): Promise<LocalList>;
  setMode(chargerId: string, mode: LocalList["mode"]): Promise<LocalList>;
  sync(chargerId: string, fields?: Partial<SyncLocalListRequest>): Promise<LocalList>;
  entries(chargerId: string): Promise<LocalListEntry[]>;
  select(chargerId: string, idToken: string): Promise<LocalList>;
  deselect(chargerId: string, idToken: string): Promise<LocalList>;
  selected(chargerId: string): Promise<string[]>;
  makeKnown(fields: Partial<VendorMessage>): Promise<VendorMessage>;
  changeKnown(fields: Partial<VendorMessage>, updateMask: string[]): Promise<VendorMessage>;
  forgetKnown(id: string): Promise<unknown>;
  known(): Promise<VendorMessage[]>;
  transfer(fields: Partial<TransferDataRequest>): Promise<Command>;
  transfers(chargerId: string): Promise<DataTransfer[]>;
  close(): void;
}

export function openSetupDesk({ place, service }: Pick<Site, "place" | "service">): SetupDesk {
  const operator = place.as("OPERATOR", undefined, 3_600);
  const plain = credentials.createInsecure();
  const configuration = new ConfigurationServiceClient(service.grpcAddress, plain);
  const lists = new LocalListServiceClient(service.grpcAddress, plain);
  const transfers = new DataTransferServiceClient(service.grpcAddress, plain);
  return {
    async key(chargerId, key) {
      return given((await call(configuration, configuration.getConfigurationKey, { chargerId, key }, operator)).configurationKey);
    },
    async keys(chargerId, filter = {}) {
      const request = ListConfigurationKeysRequest.fromPartial({ chargerId, pageSize: 200, ...filter });
      return (await call(configuration, configuration.listConfigurationKeys, request, operator)).configurationKeys;
    },
    async want(chargerId, key, value, fields = {}) {
      const request = UpdateConfigurationKeyRequest.fromPartial({ chargerId, key, value, ...fields });
      return given((await call(configuration, configuration.updateConfigurationKey, request, operator)).configurationKey);
    },
    async release(chargerId, key) {
      return given((await call(configuration, configuration.releaseConfigurationKey, { chargerId, key }, operator)).configurationKey);
    },
    async refresh(chargerId, fields = {}) {
      const request = RefreshConfigurationRequest.fromPartial({ chargerId, ...fields });
      return given((await call(configuration, configuration.refreshConfiguration, request, operator)).command);
    },
    async list(chargerId) {
      return given((await call(lists, lists.getLocalList, { chargerId }, operator)).localList);
    },
    async setMode(chargerId, mode) {
      return given((await call(lists, lists.updateLocalList, { chargerId, mode }, operator)).localList);
    },
    async sync(chargerId, fields = {}) {
      const request = SyncLocalListRequest.fromPartial({ chargerId, ...fields });
      return given((await call(lists, lists.syncLocalList, request, operator)).localList);
    },
    async entries(chargerId) {
      return (await call(lists, lists.listLocalListEntries, { chargerId, pageSize: 200, pageToken: "" }, operator)).entries;
    },
    async select(chargerId, idToken) {
      return given((await call(lists, lists.selectIdToken, { chargerId, idToken }, operator)).localList);
    },
    async deselect(chargerId, idToken) {
      return given((await call(lists, lists.deselectIdToken, { chargerId, idToken }, operator)).localList);
    },
    async selected(chargerId) {
      return (await call(lists, lists.listSelectedIdTokens, { chargerId, pageSize: 200, pageToken: "" }, operator)).idTokens;
    },
    async makeKnown(fields) {
      const request = { vendorMessage: VendorMessage.fromPartial(fields) };
      return given((await call(transfers, transfers.createVendorMessage, request, operator)).vendorMessage);
    },
    async changeKnown(fields, updateMask) {
      const request = { vendorMessage: VendorMessage.fromPartial(fields), updateMask };
      return given((await call(transfers, transfers.updateVendorMessage, request, operator)).vendorMessage);
    },
    forgetKnown: (id) => call(transfers, transfers.deleteVendorMessage, { id }, operator),
    async known() {
      return (await call(transfers, transfers.listVendorMessages, { pageSize: 0, pageToken: "" }, operator)).vendorMessages;
    },
    async transfer(fields) {
      const request = TransferDataRequest.fromPartial(fields);
      return given((await call(transfers, transfers.transferData, request, operator)).command);
    },
    async transfers(chargerId) {
      return (await call(transfers, transfers.listDataTransfers, { chargerId, pageSize: 0, pageToken: "" }, operator)).dataTransfers;
    },
    close() {
      for (const client of [configuration, lists, transfers]) client.close();
    },
  };
}
