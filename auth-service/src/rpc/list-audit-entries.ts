import type { ListAuditEntriesRequest, ListAuditEntriesResponse } from "@chargemesh/contracts/audit/v1/audit_service";
import { badRequest } from "@chargemesh/kit/errors";
import { pageSize, readPageToken, toPage } from "@chargemesh/kit/page";
import { listAuditEntryRows } from "../db/audit-entry.ts";
import type { Db } from "../db/schema.ts";
import { toAuditEntry } from "../resources.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const listAuditEntries =
  ({ db }: { db: Db }) =>
  async (request: ListAuditEntriesRequest): Promise<ListAuditEntriesResponse> => {
    const { actorId, apiKeyId, resource, action, result, startTime, endTime } = request;
    const filter = {
      actorId: actorId || undefined,
      apiKeyId: apiKeyId || undefined,
      resource: resource || undefined,
      action: action || undefined,
      result: result || undefined,
      startTime,
      endTime,
    };
    const size = pageSize(request.pageSize);
    const read = await listAuditEntryRows(db, filter, size + 1, readCursor(request.pageToken));
    const { rows, nextPageToken } = toPage(read, size, ({ time, id }) => [time.toISOString(), id]);
    return { auditEntries: rows.map(toAuditEntry), nextPageToken };
  };

function readCursor(token: string): { time: Date; id: string } | undefined {
  const cursor = readPageToken(token, 2);
  if (cursor === undefined) return undefined;
  const [text = "", id = ""] = cursor;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime()) && UUID.test(id)) return { time, id };
  throw badRequest([{ field: "page_token", description: "must be a next_page_token of the same list" }]);
}
