import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { addRelaxationUses, allowedRelaxations, type Maker, type RelaxationUseRow } from "../db/relaxation.ts";
import type { Db, Relaxation } from "../db/schema.ts";
import { toColumn } from "../db/text.ts";
import { makeBatch } from "./batch.ts";

/** A message that departs from OCPP. */
export interface Departure {
  chargerId: string;
  action: string;
  /** The relaxations that it takes, each with the first field that does. */
  uses: ReadonlyMap<Relaxation, string>;
  /** Who made the charger, if this very message says so. */
  maker?: Maker | undefined;
}

/** Says what is allowed of chargers beyond OCPP, and counts what they do. */
export interface Tolerance {
  /** Of the relaxations that a message takes, those that its charger is not allowed. Each use, and each that would have been one, is counted. */
  missing(departure: Departure): Promise<Relaxation[]>;
}

export function makeTolerance(db: Db, clock: Clock, stack: Stack, log: Logger): Tolerance {
  const write = (uses: readonly RelaxationUseRow[]): Promise<void> => addRelaxationUses(db, sum(uses));
  const batch = makeBatch<RelaxationUseRow>("uses of relaxations", write, () => 200, stack, log);
  return {
    async missing({ chargerId, action, uses, maker }) {
      const allowed = await allowedRelaxations(db, chargerId, maker);
      const missing = [...uses.keys()].filter((relaxation) => !allowed.has(relaxation));
      // If one is missing the others were of no use.
      for (const relaxation of missing.length > 0 ? missing : uses.keys()) {
        batch.add({
          charger_id: chargerId,
          relaxation,
          allowed: missing.length === 0,
          count: 1,
          last_time: clock.now(),
          last_action: toColumn(action),
          last_field: toColumn(uses.get(relaxation) ?? ""),
        });
      }
      return missing;
    },
  };
}

/** Each relaxation of a charger once, with what the last use of it says. */
function sum(uses: readonly RelaxationUseRow[]): RelaxationUseRow[] {
  const sums = new Map<string, RelaxationUseRow>();
  for (const use of uses) {
    const key = [use.charger_id, use.relaxation, use.allowed].join(" ");
    sums.set(key, { ...use, count: use.count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}
