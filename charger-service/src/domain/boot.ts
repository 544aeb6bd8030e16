import { transact } from "@chargemesh/kit/postgres";
import { type BootFacts, recordBoot } from "../db/charger.ts";
import type { Db, Registration } from "../db/schema.ts";
import { chargerBooted } from "../events.ts";
import { confirmFirmware } from "./firmware-update.ts";

/** A charger has booted, and said so on its connection of this epoch. Answers whether it may work; a charger that is deleted may not. */
export function markBooted(db: Db, chargerId: string, epoch: number, facts: BootFacts, now: Date): Promise<Registration> {
  return transact(db, async (tx) => {
    const charger = await recordBoot(tx, chargerId, epoch, facts, now);
    if (charger === undefined) return "REJECTED";
    await confirmFirmware(tx, chargerId, facts.firmwareVersion, now);
    await chargerBooted(tx, chargerId, charger.registration, facts);
    return charger.registration;
  });
}
