import type { GetWebhookDeliveryRequest, GetWebhookDeliveryResponse } from "@chargemesh/contracts/charger/v1/webhook_delivery_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { attemptsOf, deliveryById } from "../db/webhook-delivery.ts";
import { keptWebhook } from "../domain/webhook.ts";
import { noDelivery } from "../domain/webhook-delivery.ts";
import { toWebhookDelivery } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

export const getWebhookDelivery =
  ({ db }: RpcDeps) =>
  async ({ webhookId, id }: GetWebhookDeliveryRequest, call: Call): Promise<GetWebhookDeliveryResponse> => {
    await keptWebhook(db, webhookId, keeperOf(call).role);
    const delivery = await deliveryById(db, webhookId, Number(id));
    if (delivery === undefined) throw noDelivery(id);
    return { delivery: toWebhookDelivery(delivery, await attemptsOf(db, delivery.id)) };
  };
