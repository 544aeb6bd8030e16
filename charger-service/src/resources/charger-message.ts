import type { ChargerMessage } from "@chargemesh/contracts/charger/v1/charger_message";
import type { MessageRow } from "../db/message.ts";

export function toChargerMessage(row: MessageRow): ChargerMessage {
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
