import { WebhookDisabled } from "@chargemesh/contracts/charger/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";
import { mailUser } from "../mail/to-user.ts";

/** Tells the owner of a webhook that it gets no events any more. */
export const webhookDisabled =
  (needs: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event, deliveries) => {
    const { webhook, reason, ownerUserId } = WebhookDisabled.fromJSON(event.data ?? {});
    if (webhook === undefined) return needs.log.error({ event }, "an event without its webhook was dropped");
    const { id: webhookId, url, failingTime } = webhook;
    await mailUser(needs, { event, deliveries }, ownerUserId, templates["webhook-disabled"], (username) => ({
      username,
      webhookId,
      url,
      reason,
      failingTime,
    }));
  };
