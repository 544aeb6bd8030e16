import type { LocalList, LocalListEntry } from "@chargemesh/contracts/charger/v1/local_list";
import type { LocalListEntryRow, LocalListRow } from "../db/configuration-tables.ts";

/** `list` as it is kept, and how many entries the charger has on it. */
export function toLocalList({ list: row, entryCount }: { list: LocalListRow; entryCount: number }): LocalList {
  return {
    chargerId: row.charger_id,
    mode: row.mode,
    state: stateOf(row),
    version: row.version,
    chargerVersion: row.charger_version ?? undefined,
    chargerVersionTime: row.charger_version_time ?? undefined,
    entryCount,
    omittedCount: row.omitted,
    refusal: row.refusal,
    commandId: row.command_id ?? "",
    updateTime: row.update_time ?? undefined,
  };
}

function stateOf({ command_id, refusal, is_due }: LocalListRow): LocalList["state"] {
  if (command_id !== null) return "UPDATING";
  if (refusal === "NotSupported") return "NOT_SUPPORTED";
  if (refusal !== "") return "REFUSED";
  return is_due ? "DUE" : "IN_STEP";
}

export function toLocalListEntry(row: Omit<LocalListEntryRow, "charger_id" | "folded">): LocalListEntry {
  return {
    idToken: row.id_token,
    status: row.status,
    expiryTime: row.expiry_time ?? undefined,
    parentIdToken: row.parent_id_token,
  };
}
