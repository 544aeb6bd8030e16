import { eventually, type Rest } from "../rest.ts";
import type { Done } from "./audited-calls.ts";

/** Where events are sent. Nobody is there: what counts is who asked for it. */
export function auditedWebhookCalls(admin: Rest): Record<string, () => Promise<Done>> {
  const made = async (): Promise<string> => {
    const webhook = { url: "https://receiver.invalid/hook", types: ["ChargerDeleted"], chargerId: "NOBODY" };
    return (await admin("POST", "/ocpp/webhooks", webhook)).body.id;
  };
  const called = (method: string, verb: string, body?: unknown) => async (): Promise<Done> => {
    const id = await made();
    return { answer: await admin(method, `/ocpp/webhooks/${id}${verb}`, body), resource: `webhooks/${id}` };
  };
  return {
    "charger.v1.WebhookService/CreateWebhook": async () => {
      const answer = await admin("POST", "/ocpp/webhooks", { url: "https://receiver.invalid/other" });
      // What it would be sent is nobody's business here.
      await admin("DELETE", `/ocpp/webhooks/${answer.body.id}`);
      return { answer, resource: `webhooks/${answer.body.id}` };
    },
    "charger.v1.WebhookService/UpdateWebhook": called("PATCH", "", { description: "for the audit" }),
    "charger.v1.WebhookService/DeleteWebhook": called("DELETE", ""),
    "charger.v1.WebhookService/RotateWebhookSecret": called("POST", ":rotateSecret"),
    "charger.v1.WebhookService/DisableWebhook": called("POST", ":disable"),
    "charger.v1.WebhookService/EnableWebhook": async () => {
      const id = await made();
      await admin("POST", `/ocpp/webhooks/${id}:disable`);
      return { answer: await admin("POST", `/ocpp/webhooks/${id}:enable`), resource: `webhooks/${id}` };
    },
    "charger.v1.WebhookService/TestWebhook": called("POST", ":test"),
    "charger.v1.WebhookService/ReplayWebhook": called("POST", ":replay", { startTime: "2026-01-01T00:00:00Z" }),
    "charger.v1.WebhookDeliveryService/RedeliverWebhookDelivery": async () => {
      const id = await made();
      const { body: delivery } = await admin("POST", `/ocpp/webhooks/${id}:test`);
      const path = `webhooks/${id}/deliveries/${delivery.id}`;
      await eventually(async () => (await admin("GET", `/ocpp/${path}`)).body.attempts.length > 0);
      return { answer: await admin("POST", `/ocpp/${path}:redeliver`), resource: path };
    },
  };
}
