import type { DeleteWebhookRequest, DeleteWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { removeWebhook } from "../domain/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

export const deleteWebhook =
  ({ db }: RpcDeps) =>
  async ({ id }: DeleteWebhookRequest, call: Call): Promise<DeleteWebhookResponse> => {
    await removeWebhook(db, id, keeperOf(call));
    return {};
  };
