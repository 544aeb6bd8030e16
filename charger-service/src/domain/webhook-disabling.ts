import { type Actor, recordAudit } from "@chargemesh/kit/audit";
import type { Db } from "../db/schema.ts";
import { writeStanding } from "../db/user-standing.ts";
import { lockWebhook, lockWebhooksOf, updateWebhook } from "../db/webhook.ts";
import { deleteDeliveriesOf } from "../db/webhook-delivery.ts";
import type { DisableReason, WebhookRow } from "../db/webhook-tables.ts";
import { webhookDisabled, webhookUpdated } from "../webhook-events.ts";

/** A user who has webhooks, as far as that counts here. */
export interface Owner {
  role: "DRIVER" | "OPERATOR" | "ADMIN";
  isDisabled: boolean;
}

/** What is said of an owner, by an event. */
export interface OwnerNews {
  userId: string;
  /** Undefined for one who is no more. */
  owner: Owner | undefined;
  type: string;
  time: Date;
  /** The types of events that are for administrators alone. */
  adminTypes: readonly string[];
}

/** Who says something of users. */
const authService: Actor = { kind: "SERVICE", id: "auth-service", name: "auth-service" };

/** Disables a webhook whose receiver does nothing but fail, or wants no more of it, and tells its owner. Nothing happens if it is disabled, or gone. */
export async function disableFailing(tx: Db, webhookId: string, reason: Extract<DisableReason, "FAILING" | "GONE">): Promise<void> {
  const webhook = await lockWebhook(tx, webhookId);
  if (webhook?.state !== "ENABLED") return;
  await disable(tx, webhook, reason);
  await recordAudit(tx, { resource: `webhooks/${webhookId}`, actionByItself: "charger-service/DisableWebhook", details: { reason } });
}

/**
 * Sees to it that a user's webhooks see no more than the user may: those of an administrator who is an operator now see what an operator sees,
 * and keep nothing else, and those of somebody who is no more, may not sign in, or is only a driver are disabled. They stay so when the user
 * comes back.
 */
export async function restrictWebhooksOf(tx: Db, { userId, owner, type, time, adminTypes }: OwnerNews): Promise<void> {
  await writeStanding(tx, userId, owner === undefined || owner.isDisabled ? null : owner.role, time);
  const reason = reasonOf(owner);
  for (const webhook of await lockWebhooksOf(tx, userId)) {
    const isRestricted = reason === undefined ? await restrict(tx, webhook, owner, adminTypes) : await disable(tx, webhook, reason);
    if (!isRestricted) continue;
    const details: Record<string, string> = reason === undefined ? { ownerRole: "OPERATOR" } : { reason };
    await recordAudit(tx, { resource: `webhooks/${webhook.id}`, action: type, actor: authService, details });
  }
}

function reasonOf(owner: Owner | undefined): DisableReason | undefined {
  if (owner === undefined) return "OWNER_DELETED";
  if (owner.isDisabled) return "OWNER_DISABLED";
  return owner.role === "DRIVER" ? "OWNER_DEMOTED" : undefined;
}

/** Whether there was something to restrict. */
async function restrict(tx: Db, { id, owner_role }: WebhookRow, owner: Owner | undefined, adminTypes: readonly string[]): Promise<boolean> {
  if (owner_role !== "ADMIN" || owner?.role !== "OPERATOR") return false;
  const row = await updateWebhook(tx, id, { owner_role: "OPERATOR" });
  await deleteDeliveriesOf(tx, id, adminTypes);
  if (row !== undefined) await webhookUpdated(tx, row);
  return true;
}

/** Whether it was not disabled for this reason. One that was disabled for another has this one from now on, so that who enables it takes it over. */
async function disable(tx: Db, { id, state, disable_reason }: WebhookRow, reason: DisableReason): Promise<boolean> {
  if (disable_reason === reason) return false;
  const row = await updateWebhook(tx, id, { state: "DISABLED", disable_reason: reason });
  if (row !== undefined && state === "ENABLED") await webhookDisabled(tx, row, reason);
  return true;
}
