import type {
  ListWebhookDeliveriesRequest,
  ListWebhookDeliveriesResponse,
} from "@chargemesh/contracts/charger/v1/webhook_delivery_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { deliveriesBefore } from "../db/webhook-delivery.ts";
import { keptWebhook } from "../domain/webhook.ts";
import { TESTED } from "../domain/webhook-delivery.ts";
import { toWebhookDelivery } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said } from "./request.ts";
import { keeperOf, readTypes } from "./webhook-facts.ts";

export const listWebhookDeliveries =
  ({ db }: RpcDeps) =>
  async (request: ListWebhookDeliveriesRequest, call: Call): Promise<ListWebhookDeliveriesResponse> => {
    const { webhookId } = request;
    const size = pageSize(request.pageSize);
    const before = readNumberToken(request.pageToken);
    const { id, owner_role } = await keptWebhook(db, webhookId, keeperOf(call).role);
    const filter = { state: said(request.state), type: readType(request.type, owner_role) };
    const found = await deliveriesBefore(db, id, filter, before, size + 1);
    const { rows, nextPageToken } = toPage(found, size, (row) => [row.id]);
    return { deliveries: rows.map((row) => toWebhookDelivery(row)), nextPageToken };
  };

/** What tests a webhook is no event, but a type of what it is sent. */
function readType(name: string, role: Parameters<typeof readTypes>[2]): string | undefined {
  if (name === "") return undefined;
  return name === TESTED || name === "WebhookTested" ? TESTED : readTypes("type", [name], role)[0];
}
