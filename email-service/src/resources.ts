import type { Bounce, Message } from "@chargemesh/contracts/email/v1/message";
import type { MessageRow } from "./db/schema.ts";

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    to: row.to_address,
    subject: row.subject,
    text: row.text,
    template: row.template ?? "",
    eventId: row.event_id ?? "",
    state: row.state,
    attempts: row.attempts,
    lastError: row.last_error,
    createTime: row.create_time,
    nextAttemptTime: row.next_attempt_time ?? undefined,
    sendTime: row.send_time ?? undefined,
    userId: row.user_id ?? "",
    bounce: toBounce(row),
  };
}

function toBounce({ bounce_code, bounce_status, bounce_text }: MessageRow): Bounce | undefined {
  return bounce_code === null ? undefined : { code: bounce_code, enhancedStatus: bounce_status ?? "", text: bounce_text ?? "" };
}
