import { transact } from "@chargemesh/kit/postgres";
import type { Db } from "../db/schema.ts";
import { insertSecurityEvent } from "../db/security-event.ts";
import { toColumn } from "../db/text.ts";
import { securityEventReported } from "../events.ts";

/** A charger tells of something that concerns its security. What it has told before is not told again. */
export function recordSecurityEvent(
  db: Db,
  chargerId: string,
  event: { type: string; isCritical: boolean; techInfo: string; time: Date },
): Promise<void> {
  return transact(db, async (tx) => {
    const row = await insertSecurityEvent(tx, {
      charger_id: chargerId,
      type: toColumn(event.type),
      is_critical: event.isCritical,
      tech_info: toColumn(event.techInfo),
      time: event.time,
    });
    if (row !== undefined) await securityEventReported(tx, row);
  });
}
