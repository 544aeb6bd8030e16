import type { ListChargerMessagesRequest, ListChargerMessagesResponse } from "@chargemesh/contracts/charger/v1/charger_message_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { type MessageFilter, messagesBefore } from "../db/message.ts";
import { toChargerMessage } from "../resources/charger-message.ts";
import type { RpcDeps } from "./deps.ts";
import { readTimeToken } from "./page-token.ts";
import { readTime, said, text } from "./request.ts";

export const listChargerMessages =
  ({ db }: RpcDeps) =>
  async (request: ListChargerMessagesRequest): Promise<ListChargerMessagesResponse> => {
    const size = pageSize(request.pageSize);
    const token = readTimeToken(request.pageToken, /^[1-9]\d{0,15}$/);
    const before = token && { time: token.time, number: Number(token.text) };
    const found = await messagesBefore(db, request.chargerId, before, size + 1, readFilter(request));
    const { rows, nextPageToken } = toPage(found, size, ({ time, number }) => [time.toISOString(), number]);
    return { messages: rows.map(toChargerMessage), nextPageToken };
  };

function readFilter(request: ListChargerMessagesRequest): MessageFilter {
  const { fromTime, toTime } = request;
  return {
    direction: said(request.direction),
    type: said(request.type),
    action: text(request.action),
    messageId: text(request.messageId),
    traceId: text(request.traceId),
    fromTime: fromTime && readTime("from_time", fromTime),
    toTime: toTime && readTime("to_time", toTime),
    onlyErrors: request.onlyErrors,
    query: text(request.query),
  };
}
