import { TransactionStarted } from "@chargemesh/contracts/charger/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";
import { mailUser } from "../mail/to-user.ts";

/** Later it is no news, in ms: the charger was offline when it began, or we were. */
const NEWS_MS = 3_600_000;

/** Tells the user that their car charges, if that is still news. */
export const transactionStarted =
  (needs: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event, deliveries) => {
    const { transaction } = TransactionStarted.fromJSON(event.data ?? {});
    if (transaction === undefined) return needs.log.error({ event }, "an event without its transaction was dropped");
    const { id, userId, chargerId, connectorId, flags } = transaction;
    // Of a charger that does not know what time it is only we know when it told us.
    const startTime = flags.includes("CLOCK_UNSET") ? undefined : transaction.startTime;
    const oldest = Math.min(new Date(event.time).getTime(), startTime?.getTime() ?? Number.POSITIVE_INFINITY);
    if (needs.clock.now().getTime() - oldest > NEWS_MS) return;
    await mailUser(needs, { event, deliveries }, userId, templates["charging-started"], (username) => ({
      username,
      transactionId: id,
      chargerId,
      connectorId,
      startTime,
    }));
  };
