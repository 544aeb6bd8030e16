import { ChargerDisconnected } from "@chargemesh/contracts/charger/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Handle } from "@chargemesh/kit/subscribe";
import { beginOutage } from "../db/outage.ts";
import type { Db } from "../db/schema.ts";

/** Operators did it themselves. */
const INTENDED = new Set(["DELETED", "PASSWORD_REVOKED"]);

/**
 * Has operators told of a charger that does not come back. Counted from now and not from when it went, for while we catch up after a long time
 * away it may be back already, and we have yet to hear of it.
 */
export const chargerDisconnected =
  ({ db, clock, offlineMs }: { db: Db; clock: Clock; offlineMs: number }): Handle =>
  async (event) => {
    const { chargerId, reason } = ChargerDisconnected.fromJSON(event.data ?? {});
    if (INTENDED.has(reason)) return;
    await beginOutage(db, {
      kind: "OFFLINE",
      charger_id: chargerId,
      evse_id: 0,
      connector_id: 0,
      time: new Date(event.time),
      event_id: event.id,
      alarm_time: new Date(clock.now().getTime() + offlineMs),
    });
  };
