import { type FileMatter, replaceReportedStatus } from "../db/reported-status.ts";
import type { Db } from "../db/schema.ts";
import { diagnosticsStatusReported, firmwareStatusReported } from "../events.ts";

const tellers = { diagnostics: diagnosticsStatusReported, firmware: firmwareStatusReported };

/** A charger says how something goes that it was not asked for by way of an upload or an update of ours. What it says in a row is told once. */
export async function noteStatusReport(tx: Db, chargerId: string, matter: FileMatter, status: string, now: Date): Promise<void> {
  if (await replaceReportedStatus(tx, chargerId, matter, status)) await tellers[matter](tx, chargerId, status, now);
}
