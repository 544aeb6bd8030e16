import { WebhookDeliveryServiceService } from "@chargemesh/contracts/charger/v1/webhook_delivery_service";
import { WebhookServiceService } from "@chargemesh/contracts/charger/v1/webhook_service";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import { createWebhook } from "./create-webhook.ts";
import { deleteWebhook } from "./delete-webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { disableWebhook } from "./disable-webhook.ts";
import { enableWebhook } from "./enable-webhook.ts";
import { getWebhook } from "./get-webhook.ts";
import { getWebhookDelivery } from "./get-webhook-delivery.ts";
import { listWebhookDeliveries } from "./list-webhook-deliveries.ts";
import { listWebhooks } from "./list-webhooks.ts";
import { redeliverWebhookDelivery } from "./redeliver-webhook-delivery.ts";
import { replayWebhook } from "./replay-webhook.ts";
import { rotateWebhookSecret } from "./rotate-webhook-secret.ts";
import { testWebhook } from "./test-webhook.ts";
import { updateWebhook } from "./update-webhook.ts";

/** Where events are sent, and what was sent there. */
export function webhookRegistrations(deps: RpcDeps): Registration[] {
  return [
    serve(WebhookServiceService, {
      createWebhook: createWebhook(deps),
      getWebhook: getWebhook(deps),
      listWebhooks: listWebhooks(deps),
      updateWebhook: updateWebhook(deps),
      deleteWebhook: deleteWebhook(deps),
      rotateWebhookSecret: rotateWebhookSecret(deps),
      enableWebhook: enableWebhook(deps),
      disableWebhook: disableWebhook(deps),
      testWebhook: testWebhook(deps),
      replayWebhook: replayWebhook(deps),
    }),
    serve(WebhookDeliveryServiceService, {
      getWebhookDelivery: getWebhookDelivery(deps),
      listWebhookDeliveries: listWebhookDeliveries(deps),
      redeliverWebhookDelivery: redeliverWebhookDelivery(deps),
    }),
  ];
}
