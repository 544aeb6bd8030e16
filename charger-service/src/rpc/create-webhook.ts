import type { CreateWebhookRequest, CreateWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { makeWebhook } from "../domain/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf, readWebhook, webhookFields } from "./webhook-facts.ts";

/** Makes a webhook. Its secret is answered here, and never again. */
export const createWebhook =
  ({ db, webhookSecrets, webhookUrlFault }: RpcDeps) =>
  async ({ webhook }: CreateWebhookRequest, call: Call): Promise<CreateWebhookResponse> => {
    if (webhook === undefined) throw badRequest([{ field: "webhook", description: "is required" }]);
    const keeper = keeperOf(call);
    const nothing = { url: "", types: [], charger_id: null, transaction_id: null, in_order: false, description: "" };
    const facts = { ...nothing, ...readWebhook(webhook, new Set(webhookFields), keeper.role, { webhookUrlFault }) };
    const { row, secret } = await makeWebhook(db, webhookSecrets, facts, keeper);
    return { webhook: { ...toWebhook(row), secret } };
  };
