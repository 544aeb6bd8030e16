import { ChargerDeleted } from "@chargemesh/contracts/charger/v1/events";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import { deleteAlarmsOf } from "../db/alarm.ts";
import { endOutage, endOutagesOf } from "../db/outage.ts";
import type { Db } from "../db/schema.ts";

/** Nobody is told of what was wrong with a charger that is no more. */
export const chargerDeleted =
  ({ db }: { db: Db }): Handle =>
  async (event) => {
    const { chargerId } = ChargerDeleted.fromJSON(event.data ?? {});
    const time = new Date(event.time);
    await transact(db, async (tx) => {
      await endOutage(tx, { kind: "OFFLINE", charger_id: chargerId, evse_id: 0, connector_id: 0 }, time);
      await endOutagesOf(tx, chargerId, time);
      await deleteAlarmsOf(tx, chargerId);
    });
  };
