import { MessageFailed, MessageSent } from "@chargemesh/contracts/email/v1/events";
import { appendEvent } from "@chargemesh/kit/outbox";
import type { Transaction } from "kysely";
import type { Database, MessageRow } from "./db/schema.ts";

type Told = Pick<MessageRow, "id" | "to_address" | "template" | "event_id" | "attempts" | "is_forgotten_once_done">;

export async function messageSent(tx: Transaction<Database>, message: Told): Promise<void> {
  await appendEvent(tx, MessageSent, message.id, toldOf(message));
}

/** `bounce` is what the mail server said, if it has refused the mail for good. Its words may repeat the mail, and are not told. */
export async function messageFailed(
  tx: Transaction<Database>,
  message: Told,
  bounce: { code: number; status: string } | undefined,
): Promise<void> {
  const reason = { bounceCode: bounce?.code ?? 0, bounceEnhancedStatus: bounce?.status ?? "" };
  await appendEvent(tx, MessageFailed, message.id, { ...toldOf(message), ...reason });
}

function toldOf({ id, to_address, template, event_id, attempts, is_forgotten_once_done }: Told) {
  const to = is_forgotten_once_done ? "" : to_address;
  return { messageId: id, to, template: template ?? "", eventId: event_id ?? "", attempts };
}
