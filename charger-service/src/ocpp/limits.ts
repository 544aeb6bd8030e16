import { chargerById } from "../db/charger.ts";
import type { Db } from "../db/schema.ts";
import type { LimitsOf } from "../domain/charger-limits.ts";
import { dialectOf, oldestDialect } from "./dialects.ts";

/** Finds what chargers can do, each in the words of its version. */
export function makeLimitsOf(db: Db): LimitsOf {
  return async (chargerId) => {
    const charger = await chargerById(db, chargerId);
    const dialect = dialectOf(charger?.protocol ?? "") ?? oldestDialect;
    return dialect.limitsOf(db, chargerId);
  };
}
