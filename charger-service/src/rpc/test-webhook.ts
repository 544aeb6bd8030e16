import type { TestWebhookRequest, TestWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { queueTest } from "../domain/webhook-delivery.ts";
import { toWebhookDelivery } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

export const testWebhook =
  ({ db, clock, wakeWebhooks }: RpcDeps) =>
  async ({ id }: TestWebhookRequest, call: Call): Promise<TestWebhookResponse> => {
    const delivery = await queueTest(db, id, clock.now(), keeperOf(call));
    wakeWebhooks();
    return { delivery: toWebhookDelivery(delivery) };
  };
