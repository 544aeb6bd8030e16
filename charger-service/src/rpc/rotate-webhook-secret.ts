import type { RotateWebhookSecretRequest, RotateWebhookSecretResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { replaysOf } from "../db/webhook.ts";
import { rotateSecret } from "../domain/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { keeperOf } from "./webhook-facts.ts";

/** Gives a webhook another secret, which is answered here, and never again. */
export const rotateWebhookSecret =
  ({ db, webhookSecrets, clock }: RpcDeps) =>
  async ({ id }: RotateWebhookSecretRequest, call: Call): Promise<RotateWebhookSecretResponse> => {
    const { row, secret } = await rotateSecret(db, webhookSecrets, id, clock.now(), keeperOf(call));
    const [replay] = await replaysOf(db, [id]);
    return { webhook: { ...toWebhook(row, replay), secret } };
  };
