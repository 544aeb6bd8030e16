import { ReservationExpiring } from "@chargemesh/contracts/charger/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";
import { mailUser } from "../mail/to-user.ts";

/** Tells the user that a charger is not kept for them much longer, unless it is not any more. */
export const reservationExpiring =
  (needs: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event, deliveries) => {
    const { reservation } = ReservationExpiring.fromJSON(event.data ?? {});
    if (reservation === undefined) return needs.log.error({ event }, "an event without its reservation was dropped");
    const { userId, chargerId, connectorId, expireTime } = reservation;
    if (expireTime !== undefined && expireTime <= needs.clock.now()) return;
    await mailUser(needs, { event, deliveries }, userId, templates["reservation-expiring"], (username) => ({
      username,
      chargerId,
      connectorId,
      expireTime,
    }));
  };
