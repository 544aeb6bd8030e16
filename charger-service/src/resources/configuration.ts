import type { ConfigurationKey } from "@chargemesh/contracts/charger/v1/configuration";
import type { ConfigurationKeyRow } from "../db/configuration-tables.ts";

export function toConfigurationKey(row: ConfigurationKeyRow): ConfigurationKey {
  return {
    chargerId: row.charger_id,
    key: row.key,
    value: row.value ?? undefined,
    readOnly: row.read_only,
    readTime: row.read_time ?? undefined,
    wantedValue: row.wanted_value ?? undefined,
    wantedTime: row.wanted_time ?? undefined,
    wantedUserId: row.wanted_user_id ?? "",
    state: row.state,
    commandId: row.command_id ?? "",
  };
}
