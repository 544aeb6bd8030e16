import type { Db } from "./schema.ts";
import { toColumn } from "./text.ts";

/** What a charger may report of without having been asked by way of an upload or an update of ours. */
export type FileMatter = "diagnostics" | "firmware";

/** Keeps what a charger said last of this. False if it said the same before. */
export async function replaceReportedStatus(tx: Db, chargerId: string, matter: FileMatter, status: string): Promise<boolean> {
  const column = `${matter}_status` as const;
  const { numUpdatedRows } = await tx
    .updateTable("charger")
    .set({ [column]: toColumn(status) })
    .where("id", "=", chargerId)
    .where(column, "!=", toColumn(status))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
