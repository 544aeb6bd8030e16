import type { Generated, GeneratedAlways, Selectable } from "kysely";

// What chargers are set to, their local lists, and what vendors say by messages of their own.

/** What has become of the value that somebody wants a key to have; the migration says what each means. */
export type WantedState = "WAITING" | "REBOOT" | "BOOTED" | "TAKEN" | "REFUSED";
export type ConfigurationState = "UNMANAGED" | "IN_SYNC" | "DRIFTED" | "PENDING" | "UNKNOWN_TO_CHARGER";

interface ConfigurationKeyTable {
  charger_id: string;
  key: string;
  folded: GeneratedAlways<string>;
  value: string | null;
  read_only: Generated<boolean>;
  is_unknown: Generated<boolean>;
  read_time: Date | null;
  wanted_value: string | null;
  wanted_time: Date | null;
  wanted_user_id: string | null;
  wanted_state: WantedState | null;
  unanswered: Generated<number>;
  command_id: string | null;
  state: ConfigurationState;
}

interface ConfigurationReadingTable {
  charger_id: string;
  begin_time: Date;
}

interface ChargerLimitTable {
  charger_id: string;
  keys_per_reading: number | null;
  list_entries: number | null;
  list_entries_per_update: number | null;
}

export type LocalListMode = "OFF" | "ALL" | "SELECTED";
export type LocalListStatus = "ACCEPTED" | "BLOCKED" | "EXPIRED";

interface LocalListTable {
  charger_id: string;
  mode: Generated<LocalListMode>;
  version: Generated<number>;
  charger_version: number | null;
  charger_version_time: Date | null;
  is_due: Generated<boolean>;
  must_replace: Generated<boolean>;
  command_id: string | null;
  refusal: Generated<string>;
  retry_time: Date | null;
  next_expiry_time: Date | null;
  omitted: Generated<number>;
  update_time: Date | null;
}

interface LocalListEntryTable {
  charger_id: string;
  id_token: string;
  folded: GeneratedAlways<string>;
  status: LocalListStatus;
  expiry_time: Date | null;
  parent_id_token: string;
}

interface LocalListTokenTable {
  charger_id: string;
  folded: string;
  create_time: Generated<Date>;
}

interface IdTokenChangeTable {
  id: GeneratedAlways<number>;
  folded: string;
}

export type VendorAnswer = "ACCEPTED" | "REJECTED";

interface VendorMessageTable {
  id: Generated<string>;
  vendor_id: string;
  message_id: Generated<string>;
  answer_status: VendorAnswer;
  answer_data: Generated<string>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

export type TransferDirection = "FROM_CHARGER" | "TO_CHARGER";

interface DataTransferTable {
  id: GeneratedAlways<number>;
  charger_id: string;
  direction: TransferDirection;
  vendor_id: string;
  message_id: string;
  data: string;
  status: string;
  answer_data: string;
  command_id: string | null;
  create_time: Generated<Date>;
}

export interface ConfigurationTables {
  configuration_key: ConfigurationKeyTable;
  configuration_reading: ConfigurationReadingTable;
  charger_limit: ChargerLimitTable;
  local_list: LocalListTable;
  local_list_entry: LocalListEntryTable;
  local_list_token: LocalListTokenTable;
  id_token_change: IdTokenChangeTable;
  vendor_message: VendorMessageTable;
  data_transfer: DataTransferTable;
}

export type ConfigurationKeyRow = Selectable<ConfigurationKeyTable>;
export type LocalListRow = Selectable<LocalListTable>;
export type LocalListEntryRow = Selectable<LocalListEntryTable>;
export type VendorMessageRow = Selectable<VendorMessageTable>;
export type DataTransferRow = Selectable<DataTransferTable>;
