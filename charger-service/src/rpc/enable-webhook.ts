import type { EnableWebhookRequest, EnableWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { replaysOf } from "../db/webhook.ts";
import { setEnabled } from "../domain/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

export const enableWebhook =
  ({ db }: RpcDeps) =>
  async ({ id }: EnableWebhookRequest, call: Call): Promise<EnableWebhookResponse> => {
    const row = await setEnabled(db, id, keeperOf(call));
    const [replay] = await replaysOf(db, [id]);
    return { webhook: toWebhook(row, replay) };
  };
