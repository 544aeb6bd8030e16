import type { UpdateWebhookRequest, UpdateWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { replaysOf } from "../db/webhook.ts";
import { changeWebhook, keptWebhook } from "../domain/webhook.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { readEtag, readUpdateMask } from "./request.ts";
import { keeperOf, readWebhook, webhookFields } from "./webhook-facts.ts";

export const updateWebhook =
  ({ db, webhookUrlFault }: RpcDeps) =>
  async ({ webhook, updateMask }: UpdateWebhookRequest, call: Call): Promise<UpdateWebhookResponse> => {
    if (!webhook?.id) throw badRequest([{ field: "webhook.id", description: "is required" }]);
    const fields = readUpdateMask(updateMask, webhookFields);
    const keeper = keeperOf(call);
    // What it sees is what its owner did, whoever changes it.
    const { owner_role } = await keptWebhook(db, webhook.id, keeper.role);
    const change = readWebhook(webhook, fields, owner_role, { webhookUrlFault });
    const row = await changeWebhook(db, webhook.id, readEtag(webhook.etag), change, keeper);
    const [replay] = await replaysOf(db, [row.id]);
    return { webhook: toWebhook(row, replay) };
  };
