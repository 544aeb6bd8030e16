import type { Maker } from "../../db/relaxation.ts";
import type { Json } from "../../db/schema.ts";

/** Who made the charger, if a CALL of its says so, whatever else is wrong with it: vendor and model of a boot (OCPP 1.6 §6.3). */
export function makerOf(action: string, { chargePointVendor: vendor, chargePointModel: model }: Json): Maker | undefined {
  if (action !== "BootNotification" || typeof vendor !== "string") return undefined;
  return { vendor, model: typeof model === "string" ? model : "" };
}
