import type { DisableWebhookRequest, DisableWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { replaysOf } from "../db/webhook.ts";
import { setDisabled } from "../domain/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

export const disableWebhook =
  ({ db }: RpcDeps) =>
  async ({ id }: DisableWebhookRequest, call: Call): Promise<DisableWebhookResponse> => {
    const row = await setDisabled(db, id, keeperOf(call));
    const [replay] = await replaysOf(db, [id]);
    return { webhook: toWebhook(row, replay) };
  };
