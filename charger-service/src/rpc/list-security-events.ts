import type { ListSecurityEventsRequest, ListSecurityEventsResponse } from "@chargemesh/contracts/charger/v1/security_event_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { securityEventsBefore } from "../db/security-event.ts";
import { toSecurityEvent } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { readTime, text } from "./request.ts";

export const listSecurityEvents =
  ({ db }: RpcDeps) =>
  async (request: ListSecurityEventsRequest): Promise<ListSecurityEventsResponse> => {
    const { chargerId, type, critical, startTime, endTime } = request;
    const size = pageSize(request.pageSize);
    const found = await securityEventsBefore(db, readNumberToken(request.pageToken), size + 1, {
      chargerId: text(chargerId),
      type: text(type),
      critical,
      startTime: startTime && readTime("start_time", startTime),
      endTime: endTime && readTime("end_time", endTime),
    });
    const { rows, nextPageToken } = toPage(found, size, ({ id }) => [id]);
    return { securityEvents: rows.map(toSecurityEvent), nextPageToken };
  };
