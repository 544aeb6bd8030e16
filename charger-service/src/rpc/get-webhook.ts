import type { GetWebhookRequest, GetWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import { replaysOf, webhookById } from "../db/webhook.ts";
import { noWebhook } from "../domain/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";

export const getWebhook =
  ({ db }: RpcDeps) =>
  async ({ id }: GetWebhookRequest): Promise<GetWebhookResponse> => {
    const row = await webhookById(db, id);
    if (row === undefined) throw noWebhook(id);
    const [replay] = await replaysOf(db, [row.id]);
    return { webhook: toWebhook(row, replay) };
  };
