import { randomUUID } from "node:crypto";
import type { CreateMessageRequest, CreateMessageResponse } from "@chargemesh/contracts/email/v1/message_service";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { badRequest } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { requestId } from "@chargemesh/kit/request-id";
import { insertMessage, messageByIdempotencyKey } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";
import { toMessage } from "../resources.ts";

/** The request's own request_id makes it safe to repeat; INVALID_ARGUMENT if it is that of a message that says something else. */
export const createMessage =
  ({ db, clock, sender }: { db: Db; clock: Clock; sender: Sender }) =>
  async (request: CreateMessageRequest): Promise<CreateMessageResponse> => {
    const { to, subject, text } = request;
    const now = clock.now();
    const key = request.requestId === "" ? null : request.requestId;
    const row = await transact(db, async (tx) => {
      const inserted = await insertMessage(tx, {
        id: randomUUID(),
        to_address: to,
        subject,
        text,
        idempotency_key: key,
        request_id: requestId() ?? null,
        create_time: now,
        ...queuedAt(now),
      });
      if (inserted !== undefined) await recordAudit(tx, { resource: `messages/${inserted.id}` });
      return inserted;
    });
    if (row !== undefined) {
      sender.wake();
      return { message: toMessage(row) };
    }
    const earlier = key === null ? undefined : await messageByIdempotencyKey(db, key);
    if (earlier === undefined || earlier.to_address !== to || earlier.subject !== subject || earlier.text !== text)
      throw badRequest([{ field: "request_id", description: "was used for another message" }]);
    return { message: toMessage(earlier) };
  };
