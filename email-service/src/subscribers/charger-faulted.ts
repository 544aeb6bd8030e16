import { ChargerFaulted } from "@chargemesh/contracts/charger/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import { beginOutage } from "../db/outage.ts";
import type { Db } from "../db/schema.ts";
import { raiseAlarm } from "../mail/digests.ts";

/** Has operators told of a fault. */
export const chargerFaulted =
  ({ db, clock, digestMs }: { db: Db; clock: Clock; digestMs: number }): Handle =>
  async (event) => {
    const { chargerId, evseId, connectorId, errorCode, vendorErrorCode } = ChargerFaulted.fromJSON(event.data ?? {});
    const when = { time: new Date(event.time), event_id: event.id };
    const fault = { kind: "FAULTED", charger_id: chargerId, ...when } as const;
    const errorCodes = [errorCode, vendorErrorCode].filter((code) => code !== "");
    await transact(db, async (tx) => {
      const isNews = await beginOutage(tx, { ...fault, evse_id: evseId, connector_id: connectorId, alarm_time: null });
      if (isNews) await raiseAlarm(tx, { ...fault, connector_ids: [connectorId], error_codes: errorCodes }, digestMs, clock.now());
    });
  };
