import type { Message } from "@chargemesh/contracts/charger/v1/message";
import type { MessageRow } from "../db/message.ts";

export function toMessage(row: MessageRow): Message {
  return {
    id: String(row.number),
    chargerId: row.charger_id,
    time: row.time,
    direction: row.direction,
    type: row.type,
    messageId: row.message_id,
    action: row.action,
    frame: row.frame,
    characters: row.characters,
    errorCode: row.error_code,
    traceId: row.trace_id,
    epoch: row.epoch,
    latencyMs: row.latency_ms ?? undefined,
    relaxations: row.relaxations,
  };
}
