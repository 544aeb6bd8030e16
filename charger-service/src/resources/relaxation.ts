import type { RelaxationUse, VendorRelaxation } from "@chargemesh/contracts/charger/v1/relaxation";
import type { RelaxationUseRow, VendorRelaxationRow } from "../db/relaxation.ts";

export function toVendorRelaxation(row: VendorRelaxationRow): VendorRelaxation {
  return {
    id: row.id,
    vendor: row.vendor,
    model: row.model,
    relaxations: row.relaxations,
    createTime: row.create_time,
    updateTime: row.update_time,
    etag: String(row.version),
  };
}

export function toRelaxationUse(row: RelaxationUseRow): RelaxationUse {
  return {
    relaxation: row.relaxation,
    allowed: row.allowed,
    count: row.count,
    lastTime: row.last_time,
    lastAction: row.last_action,
    lastField: row.last_field,
  };
}
