import type { Webhook } from "@chargemesh/contracts/charger/v1/webhook";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { WebhookRole } from "../db/webhook-tables.ts";
import { eventTypesNamed } from "../domain/event-match.ts";
import type { Keeper, WebhookFacts } from "../domain/webhook.ts";
import { eventTypes } from "../live/event-types.ts";
import type { RpcDeps } from "./deps.ts";
import { text } from "./request.ts";

export const webhookFields = ["url", "types", "charger_id", "transaction_id", "in_order", "description"] as const;

/** Who keeps webhooks: the access rule lets nobody else in. */
export function keeperOf({ caller }: Call): Keeper {
  if (caller.kind !== "user" || caller.role === "DRIVER") throw new AppError("permissionDenied", "ACCESS_DENIED", "This is for operators.");
  return { userId: caller.userId, role: caller.role };
}

/** What is said of a webhook in these fields. INVALID_ARGUMENT if its URL may not be called, or `role` does not see events of a type. */
export function readWebhook(
  webhook: Webhook,
  fields: ReadonlySet<(typeof webhookFields)[number]>,
  role: WebhookRole,
  { webhookUrlFault }: Pick<RpcDeps, "webhookUrlFault">,
): Partial<WebhookFacts> {
  const facts: Partial<WebhookFacts> = {};
  if (fields.has("url")) facts.url = readUrl(webhook.url, webhookUrlFault);
  if (fields.has("types")) facts.types = readTypes("webhook.types", webhook.types, role);
  if (fields.has("charger_id")) facts.charger_id = text(webhook.chargerId) ?? null;
  if (fields.has("transaction_id")) facts.transaction_id = text(webhook.transactionId) ?? null;
  if (fields.has("in_order")) facts.in_order = webhook.inOrder;
  if (fields.has("description")) facts.description = webhook.description;
  return facts;
}

function readUrl(url: string, faultOf: (url: string) => string | undefined): string {
  const fault = url === "" ? "is required" : faultOf(url);
  if (fault === undefined) return url;
  throw badRequest([{ field: "webhook.url", description: fault }]);
}

/** The full names of types of events, each once. INVALID_ARGUMENT if there is no such type, or `role` does not see what is of it. */
export function readTypes(field: string, names: readonly string[], role: WebhookRole): string[] {
  const refuse = (index: number, description: string): never => {
    throw badRequest([{ field: `${field}[${index}]`, description }]);
  };
  const types = names.map((name, index) => {
    const [type] = eventTypesNamed(eventTypes, [name], () => refuse(index, "is no type of an event")) ?? [];
    if (type === undefined) return refuse(index, "is no type of an event");
    if (eventTypes.get(type)?.audience === "ADMIN" && role !== "ADMIN") return refuse(index, "is for administrators");
    return type;
  });
  return [...new Set(types)];
}
