import type { RateUnit } from "../../db/charging-profile-tables.ts";
import { configurationKey } from "../../db/configuration.ts";
import type { Db } from "../../db/schema.ts";
import type { ChargerLimits } from "../../domain/charger-limits.ts";

const rateUnits: Record<string, RateUnit> = { current: "A", power: "W" };

/** What a 1.6 charger can do, by what is known of its configuration (OCPP 1.6 §9.3, §9.4). */
export async function limitsOf16(db: Db, chargerId: string): Promise<ChargerLimits> {
  const [zero, stackLevel, periods, units] = await Promise.all(
    [
      "ReserveConnectorZeroSupported",
      "ChargeProfileMaxStackLevel",
      "ChargingScheduleMaxPeriods",
      "ChargingScheduleAllowedChargingRateUnit",
    ].map((key) => configurationKey(db, chargerId, key)),
  );
  const words = units?.value?.split(",").flatMap((word) => rateUnits[word.trim().toLowerCase()] ?? []);
  return {
    reservesAnyConnector: zero?.value ? zero.value.trim().toLowerCase() === "true" : undefined,
    stackLevelMax: toCount(stackLevel?.value),
    periodsMax: toCount(periods?.value),
    // One that says nothing that we know has not said it.
    rateUnits: words?.length ? words : undefined,
  };
}

function toCount(text: string | null | undefined): number | undefined {
  return text && /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : undefined;
}
