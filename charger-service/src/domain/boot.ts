import { transact } from "@chargemesh/kit/postgres";
import { type BootFacts, recordBoot } from "../db/charger.ts";
import type { Db, Registration } from "../db/schema.ts";
import { chargerBooted } from "../events.ts";
import { confirmFirmware } from "./firmware-update.ts";

/** A charger has booted. Answers whether it may work; a charger that is deleted may not. */
export function markBooted(db: Db, chargerId: string, facts: BootFacts, now: Date): Promise<Registration> {
  return transact(db, async (tx) => {
    const charger = await recordBoot(tx, chargerId, facts, now);
    if (charger === undefined) return "REJECTED";
    await confirmFirmware(tx, chargerId, facts.firmwareVersion, now);
    await chargerBooted(tx, chargerId, charger.registration, facts);
    return charger.registration;
  });
}
