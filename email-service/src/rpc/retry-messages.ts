import type { RetryMessagesRequest, RetryMessagesResponse } from "@chargemesh/contracts/email/v1/message_service";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { transact } from "@chargemesh/kit/postgres";
import { requeueAllFailed } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";

/** As many as one transaction should take, and one look at the audit log explain. */
const RETRIED_MAX = 10_000;

export const retryMessages =
  ({ db, clock, sender }: { db: Db; clock: Clock; sender: Sender }) =>
  async ({ to, template, bounced }: RetryMessagesRequest): Promise<RetryMessagesResponse> => {
    const filter = { to: to === "" ? undefined : to, template: template === "" ? undefined : template, bounced };
    const count = await transact(db, async (tx) => {
      const requeued = await requeueAllFailed(tx, filter, queuedAt(clock.now()), RETRIED_MAX);
      if (requeued > 0) await recordAudit(tx, { resource: "messages", details: { count: String(requeued) } });
      return requeued;
    });
    if (count > 0) sender.wake();
    return { count };
  };
