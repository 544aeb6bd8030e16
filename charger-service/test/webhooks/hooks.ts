import { randomUUID } from "node:crypto";
import { Webhook } from "@chargemesh/contracts/charger/v1/webhook";
import type { WebhookDelivery } from "@chargemesh/contracts/charger/v1/webhook_delivery";
import { ListWebhookDeliveriesRequest } from "@chargemesh/contracts/charger/v1/webhook_delivery_service";
import { ReplayWebhookRequest } from "@chargemesh/contracts/charger/v1/webhook_service";
import { subjectOf } from "@chargemesh/kit/outbox";
import type { Metadata } from "@grpc/grpc-js";
import type { NatsConnection } from "nats";
import { call, given, type Service } from "../service.ts";

/** What may be said of a webhook. */
export type HookFields = Partial<Webhook>;

/** The rpcs of webhooks as one caller. */
export interface Hooks {
  create(fields: HookFields): Promise<Webhook>;
  get(id: string): Promise<Webhook>;
  list(chargerId?: string): Promise<Webhook[]>;
  update(fields: HookFields, updateMask: string[]): Promise<Webhook>;
  remove(id: string): Promise<unknown>;
  rotate(id: string): Promise<Webhook>;
  enable(id: string): Promise<Webhook>;
  disable(id: string): Promise<Webhook>;
  test(id: string): Promise<WebhookDelivery>;
  replay(fields: Partial<ReplayWebhookRequest>): Promise<Webhook>;
  deliveries(webhookId: string, fields?: Partial<ListWebhookDeliveriesRequest>): Promise<WebhookDelivery[]>;
  delivery(webhookId: string, id: string): Promise<WebhookDelivery>;
  redeliver(webhookId: string, id: string): Promise<WebhookDelivery>;
}

export function hooksOf({ webhooks, webhookDeliveries }: Service, as: Metadata): Hooks {
  const own = { id: "", webhook: undefined };
  return {
    create: async (fields) => given((await call(webhooks, webhooks.createWebhook, { webhook: Webhook.fromPartial(fields) }, as)).webhook),
    get: async (id) => given((await call(webhooks, webhooks.getWebhook, { id }, as)).webhook),
    list: async (chargerId = "") => (await call(webhooks, webhooks.listWebhooks, { chargerId, pageSize: 0, pageToken: "" }, as)).webhooks,
    update: async (fields, updateMask) =>
      given((await call(webhooks, webhooks.updateWebhook, { webhook: Webhook.fromPartial(fields), updateMask }, as)).webhook),
    remove: (id) => call(webhooks, webhooks.deleteWebhook, { ...own, id }, as),
    rotate: async (id) => given((await call(webhooks, webhooks.rotateWebhookSecret, { id }, as)).webhook),
    enable: async (id) => given((await call(webhooks, webhooks.enableWebhook, { id }, as)).webhook),
    disable: async (id) => given((await call(webhooks, webhooks.disableWebhook, { id }, as)).webhook),
    test: async (id) => given((await call(webhooks, webhooks.testWebhook, { id }, as)).delivery),
    replay: async (fields) => given((await call(webhooks, webhooks.replayWebhook, ReplayWebhookRequest.fromPartial(fields), as)).webhook),
    deliveries: async (webhookId, fields = {}) => {
      const request = ListWebhookDeliveriesRequest.fromPartial({ webhookId, pageSize: 200, ...fields });
      return (await call(webhookDeliveries, webhookDeliveries.listWebhookDeliveries, request, as)).deliveries;
    },
    delivery: async (webhookId, id) =>
      given((await call(webhookDeliveries, webhookDeliveries.getWebhookDelivery, { webhookId, id }, as)).delivery),
    redeliver: async (webhookId, id) =>
      given((await call(webhookDeliveries, webhookDeliveries.redeliverWebhookDelivery, { webhookId, id }, as)).delivery),
  };
}

/** Tells something, as if another service had; says the event's id. */
export async function tell(nats: NatsConnection, type: string, subject: string, data: object, time = new Date()): Promise<string> {
  const id = randomUUID();
  const event = { specversion: "1.0", id, source: "auth-service", type, subject, time, datacontenttype: "application/json", data };
  await nats.jetstream().publish(subjectOf(type, subject), JSON.stringify(event), { msgID: id });
  return id;
}
