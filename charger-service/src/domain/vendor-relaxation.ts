import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import {
  deleteVendorRelaxation,
  insertVendorRelaxation,
  type Maker,
  updateVendorRelaxation,
  type VendorRelaxationRow,
  vendorRelaxationById,
} from "../db/relaxation.ts";
import type { Db, Relaxation } from "../db/schema.ts";

/** Allows something of the chargers of a vendor. ALREADY_EXISTS if something is allowed of them already. */
export function allowVendor(db: Db, maker: Maker, relaxations: Relaxation[]): Promise<VendorRelaxationRow> {
  return transact(db, async (tx) => {
    const row = await insertVendorRelaxation(tx, { ...maker, relaxations });
    if (row === undefined) {
      const text = `There are relaxations of ${[maker.vendor, maker.model].join(" ").trim()} already; case does not count.`;
      throw new AppError("alreadyExists", "VENDOR_RELAXATION_EXISTS", text);
    }
    await recordAudit(tx, { resource: resourceOf(row), details: auditDetails(row) });
    return row;
  });
}

/** Allows something else of them. NOT_FOUND if there is none of this id, ABORTED if `version` is given and stale. */
export function changeVendorRelaxation(
  db: Db,
  id: string,
  version: number | undefined,
  relaxations: Relaxation[],
): Promise<VendorRelaxationRow> {
  return transact(db, async (tx) => {
    const row = await updateVendorRelaxation(tx, id, version, relaxations);
    if (row === undefined) {
      if ((await vendorRelaxationById(tx, id)) === undefined) throw noVendorRelaxation(id);
      throw new AppError("aborted", "ETAG_STALE", `The relaxations ${id} were changed by someone else. Read them again.`);
    }
    await recordAudit(tx, { resource: resourceOf(row), details: auditDetails(row) });
    return row;
  });
}

/** Takes back what was allowed of them. NOT_FOUND if there is none of this id. */
export function removeVendorRelaxation(db: Db, id: string): Promise<void> {
  return transact(db, async (tx) => {
    const row = await deleteVendorRelaxation(tx, id);
    if (row === undefined) throw noVendorRelaxation(id);
    await recordAudit(tx, { resource: resourceOf(row) });
  });
}

const resourceOf = ({ id }: VendorRelaxationRow): string => `vendorRelaxations/${id}`;

function auditDetails({ vendor, model, relaxations }: VendorRelaxationRow): Record<string, string> {
  return { vendor, model, relaxations: relaxations.join(",") };
}

/** NOT_FOUND for relaxations of a vendor. */
export function noVendorRelaxation(id: string): AppError {
  return new AppError("notFound", "VENDOR_RELAXATION_NOT_FOUND", `No relaxations of a vendor ${id}.`);
}
