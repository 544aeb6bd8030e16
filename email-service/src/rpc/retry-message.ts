import type { RetryMessageRequest, RetryMessageResponse } from "@chargemesh/contracts/email/v1/message_service";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { messageById, requeueFailed } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";
import { toMessage } from "../resources.ts";

export const retryMessage =
  ({ db, clock, sender }: { db: Db; clock: Clock; sender: Sender }) =>
  async ({ id }: RetryMessageRequest): Promise<RetryMessageResponse> => {
    const row = await transact(db, async (tx) => {
      const requeued = await requeueFailed(tx, id, queuedAt(clock.now()));
      if (requeued !== undefined) await recordAudit(tx, { resource: `messages/${id}` });
      return requeued;
    });
    if (row === undefined) {
      const other = await messageById(db, id);
      if (other === undefined) throw new AppError("notFound", "MESSAGE_NOT_FOUND", `No message ${id}.`);
      throw new AppError("failedPrecondition", "MESSAGE_NOT_FAILED", `The message ${id} is ${other.state}, not FAILED.`);
    }
    sender.wake();
    return { message: toMessage(row) };
  };
