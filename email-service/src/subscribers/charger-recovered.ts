import { ChargerRecovered } from "@chargemesh/contracts/charger/v1/events";
import type { Handle } from "@chargemesh/kit/subscribe";
import { endOutage } from "../db/outage.ts";
import type { Db } from "../db/schema.ts";

/** What operators are told of a fault says that it is over. */
export const chargerRecovered =
  ({ db }: { db: Db }): Handle =>
  async (event) => {
    const { chargerId, evseId, connectorId } = ChargerRecovered.fromJSON(event.data ?? {});
    const place = { kind: "FAULTED", charger_id: chargerId, evse_id: evseId, connector_id: connectorId } as const;
    await endOutage(db, place, new Date(event.time));
  };
