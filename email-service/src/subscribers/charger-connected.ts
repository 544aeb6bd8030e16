import { ChargerConnected } from "@chargemesh/contracts/charger/v1/events";
import type { Handle } from "@chargemesh/kit/subscribe";
import { endOutage } from "../db/outage.ts";
import type { Db } from "../db/schema.ts";

/** A charger that is connected is not offline, whatever is told later of what was before. */
export const chargerConnected =
  ({ db }: { db: Db }): Handle =>
  async (event) => {
    const { chargerId } = ChargerConnected.fromJSON(event.data ?? {});
    const place = { kind: "OFFLINE", charger_id: chargerId, evse_id: 0, connector_id: 0 } as const;
    await endOutage(db, place, new Date(event.time));
  };
