import type {
  RedeliverWebhookDeliveryRequest,
  RedeliverWebhookDeliveryResponse,
} from "@chargemesh/contracts/charger/v1/webhook_delivery_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { redeliver } from "../domain/webhook-delivery.ts";
import { toWebhookDelivery } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

export const redeliverWebhookDelivery =
  ({ db, wakeWebhooks }: RpcDeps) =>
  async ({ webhookId, id }: RedeliverWebhookDeliveryRequest, call: Call): Promise<RedeliverWebhookDeliveryResponse> => {
    const delivery = await redeliver(db, webhookId, Number(id), keeperOf(call));
    wakeWebhooks();
    return { delivery: toWebhookDelivery(delivery) };
  };
