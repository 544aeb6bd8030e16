import type { ListWebhooksRequest, ListWebhooksResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { replaysOf, webhooksBefore } from "../db/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { readTimeToken } from "./page-token.ts";
import { text } from "./request.ts";

export const listWebhooks =
  ({ db }: RpcDeps) =>
  async (request: ListWebhooksRequest): Promise<ListWebhooksResponse> => {
    const size = pageSize(request.pageSize);
    const after = readTimeToken(request.pageToken, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const cursor = after && { createTime: after.time, id: after.text };
    const found = await webhooksBefore(db, cursor, size + 1, text(request.chargerId));
    const { rows, nextPageToken } = toPage(found, size, ({ create_time, id }) => [create_time.toISOString(), id]);
    const replays = new Map(
      (
        await replaysOf(
          db,
          rows.map(({ id }) => id),
        )
      ).map((replay) => [replay.webhook_id, replay]),
    );
    return { webhooks: rows.map((row) => toWebhook(row, replays.get(row.id))), nextPageToken };
  };
