import { AppError } from "@chargemesh/kit/errors";
import type { ProfileContent, RateUnit } from "../db/charging-profile-tables.ts";

/** What a charger says that it can do; undefined where it has not said. */
export interface ChargerLimits {
  /** Whether it keeps any one of its connectors, and not only a certain one. */
  reservesAnyConnector: boolean | undefined;
  /** The highest stack level of a charging profile. */
  stackLevelMax: number | undefined;
  /** How many periods a schedule may have. */
  periodsMax: number | undefined;
  rateUnits: readonly RateUnit[] | undefined;
}

/** Finds the limits of a charger, in whatever words it says them. */
export type LimitsOf = (chargerId: string) => Promise<ChargerLimits>;

/** FAILED_PRECONDITION if the charger cannot keep just any connector, and it is asked to. */
export function checkReservable(chargerId: string, { reservesAnyConnector }: ChargerLimits, connectorId: number): void {
  if (connectorId === 0 && reservesAnyConnector === false) {
    throw cannot(chargerId, "keep any one connector: name the connector that it is to keep");
  }
}

/** FAILED_PRECONDITION if the charger cannot take a charging profile. */
export function checkTakeable(chargerId: string, limits: ChargerLimits, { stackLevel, schedule }: ProfileContent): void {
  const { stackLevelMax, periodsMax, rateUnits } = limits;
  if (stackLevelMax !== undefined && stackLevel > stackLevelMax) {
    throw cannot(chargerId, `take a stack level of ${stackLevel}: ${stackLevelMax} is its highest`);
  }
  if (periodsMax !== undefined && schedule.periods.length > periodsMax) {
    throw cannot(chargerId, `take ${schedule.periods.length} periods: ${periodsMax} is the most`);
  }
  if (rateUnits !== undefined && !rateUnits.includes(schedule.rateUnit)) {
    throw cannot(chargerId, `take limits in ${schedule.rateUnit}: only in ${rateUnits.join(" or ")}`);
  }
}

function cannot(chargerId: string, what: string): AppError {
  return new AppError("failedPrecondition", "CHARGER_CANNOT", `Charger ${chargerId} says that it cannot ${what}.`);
}
