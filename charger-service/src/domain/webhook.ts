import { randomBytes } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import type { SealedTexts } from "@chargemesh/kit/sealed-text";
import type { Db } from "../db/schema.ts";
import { lockedStanding } from "../db/user-standing.ts";
import { countWebhooks, deleteWebhook, insertWebhook, lockWebhook, updateWebhook, webhookById } from "../db/webhook.ts";
import type { WebhookRole, WebhookRow } from "../db/webhook-tables.ts";
import { webhookCreated, webhookDeleted, webhookUpdated } from "../webhook-events.ts";

/** Every event is matched against all of them, and queued once for each that wants it: what one charger says must not become thousands of rows. */
const WEBHOOKS_MAX = 100;
/** What Standard Webhooks asks of a secret is 24 to 64 bytes. */
const SECRET_BYTES = 32;
/** How long the secret before the last rotation signs beside the new one, in ms. */
const BOTH_SIGN_MS = 24 * 3_600_000;

/** Who does something with a webhook. */
export interface Keeper {
  userId: string;
  role: WebhookRole;
}

/** What people say of a webhook. */
export type WebhookFacts = Pick<WebhookRow, "url" | "types" | "charger_id" | "transaction_id" | "in_order" | "description">;

/** A webhook with its secret, which nobody is shown again. */
export interface MadeWebhook {
  row: WebhookRow;
  secret: string;
}

const makeSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;

/** Makes a webhook that sees what its keeper sees. FAILED_PRECONDITION if there are as many as there may be. */
export function makeWebhook(db: Db, sealed: SealedTexts, facts: WebhookFacts, keeper: Keeper): Promise<MadeWebhook> {
  const secret = makeSecret();
  return transact(db, async (tx) => {
    await checkStanding(tx, keeper);
    if ((await countWebhooks(tx)) >= WEBHOOKS_MAX)
      throw new AppError("failedPrecondition", "TOO_MANY_WEBHOOKS", `There are ${WEBHOOKS_MAX} webhooks already. Delete one first.`);
    const row = await insertWebhook(tx, {
      ...facts,
      sealed_secret: sealed.seal(secret),
      owner_user_id: keeper.userId,
      owner_role: keeper.role,
    });
    await webhookCreated(tx, row);
    await recordAudit(tx, { resource: resourceOf(row), details: auditDetails(facts) });
    return { row, secret };
  });
}

/** The webhook of this id. NOT_FOUND if there is none; PERMISSION_DENIED if it sees more than `role` does. */
export async function keptWebhook(db: Db, id: string, role: WebhookRole): Promise<WebhookRow> {
  return checkKept(await webhookById(db, id), id, role);
}

/**
 * The same for who is about to do something with it: nobody changes it until the transaction ends. PERMISSION_DENIED also for who is not any more
 * what their access token says.
 */
export async function lockKeptWebhook(tx: Db, id: string, keeper: Keeper): Promise<WebhookRow> {
  await checkStanding(tx, keeper);
  return checkKept(await lockWebhook(tx, id), id, keeper.role);
}

/** What a webhook is sent goes on for longer than the access token of who made it: it must not be made by one that says too much. */
async function checkStanding(tx: Db, { userId, role }: Keeper): Promise<void> {
  const standing = await lockedStanding(tx, userId);
  if (standing === undefined || standing === "ADMIN" || standing === role) return;
  throw new AppError("permissionDenied", "ACCESS_DENIED", "You are not what your access token says any more. Sign in again.");
}

function checkKept(row: WebhookRow | undefined, id: string, role: WebhookRole): WebhookRow {
  if (row === undefined) throw noWebhook(id);
  if (row.owner_role === "ADMIN" && role !== "ADMIN")
    throw new AppError("permissionDenied", "ACCESS_DENIED", `This is for administrators: webhook ${id} sees what they see.`);
  return row;
}

/** FAILED_PRECONDITION unless it is enabled. */
export function checkEnabled({ id, state }: WebhookRow): void {
  if (state !== "ENABLED") throw new AppError("failedPrecondition", "WEBHOOK_DISABLED", `Webhook ${id} is disabled. Enable it first.`);
}

/** Changes a webhook. Who has it lead elsewhere owns it: it ends with them. ABORTED if `version` is given and stale. */
export function changeWebhook(
  db: Db,
  id: string,
  version: number | undefined,
  change: Partial<WebhookFacts>,
  keeper: Keeper,
): Promise<WebhookRow> {
  return transact(db, async (tx) => {
    const before = await lockKeptWebhook(tx, id, keeper);
    if (version !== undefined && version !== before.version)
      throw new AppError("aborted", "ETAG_STALE", `Webhook ${id} was changed by someone else. Read it again.`);
    // Another receiver has not failed yet.
    const isMoved = change.url !== undefined && change.url !== before.url;
    const moved = isMoved ? { failing_since: null, owner_user_id: keeper.userId } : {};
    return await update(tx, id, { ...change, ...moved }, auditDetails(change));
  });
}

/** Gives a webhook another secret. */
export function rotateSecret(db: Db, sealed: SealedTexts, id: string, now: Date, keeper: Keeper): Promise<MadeWebhook> {
  const secret = makeSecret();
  return transact(db, async (tx) => {
    const { sealed_secret } = await lockKeptWebhook(tx, id, keeper);
    const change = {
      sealed_secret: sealed.seal(secret),
      sealed_previous_secret: sealed_secret,
      previous_secret_expire_time: new Date(now.getTime() + BOTH_SIGN_MS),
    };
    return { row: await update(tx, id, change, {}), secret };
  });
}

/** Enables a webhook. One that was disabled because of its owner has a new one then. */
export function setEnabled(db: Db, id: string, keeper: Keeper): Promise<WebhookRow> {
  return transact(db, async (tx) => {
    const before = await lockKeptWebhook(tx, id, keeper);
    if (before.state === "ENABLED") return before;
    const isAdopted = before.disable_reason?.startsWith("OWNER_") ?? false;
    const owner = isAdopted ? { owner_user_id: keeper.userId } : {};
    const change = { state: "ENABLED", disable_reason: null, failing_since: null, ...owner } as const;
    return await update(tx, id, change, isAdopted ? { ownerUserId: keeper.userId } : {});
  });
}

/** Disables a webhook, because its keeper asks for it. */
export function setDisabled(db: Db, id: string, keeper: Keeper): Promise<WebhookRow> {
  return transact(db, async (tx) => {
    const before = await lockKeptWebhook(tx, id, keeper);
    if (before.state === "DISABLED") return before;
    return await update(tx, id, { state: "DISABLED", disable_reason: "REQUESTED" }, {});
  });
}

/** Deletes a webhook with its deliveries. */
export function removeWebhook(db: Db, id: string, keeper: Keeper): Promise<void> {
  return transact(db, async (tx) => {
    const row = await lockKeptWebhook(tx, id, keeper);
    await deleteWebhook(tx, id);
    await webhookDeleted(tx, id);
    await recordAudit(tx, { resource: resourceOf(row) });
  });
}

async function update(
  tx: Db,
  id: string,
  change: Parameters<typeof updateWebhook>[2],
  details: Record<string, string>,
): Promise<WebhookRow> {
  const row = await updateWebhook(tx, id, change);
  if (row === undefined) throw noWebhook(id);
  await webhookUpdated(tx, row);
  await recordAudit(tx, { resource: resourceOf(row), details });
  return row;
}

const resourceOf = ({ id }: WebhookRow): string => `webhooks/${id}`;

/** Of a URL only the host: many hold a secret in their path. */
function auditDetails({ url, types, charger_id, transaction_id, in_order }: Partial<WebhookFacts>): Record<string, string> {
  return {
    ...(url === undefined ? {} : { host: new URL(url).host }),
    ...(types === undefined ? {} : { types: types.join(",") }),
    ...(charger_id === undefined ? {} : { chargerId: charger_id ?? "" }),
    ...(transaction_id === undefined ? {} : { transactionId: transaction_id ?? "" }),
    ...(in_order === undefined ? {} : { inOrder: String(in_order) }),
  };
}

/** NOT_FOUND for a webhook. */
export function noWebhook(id: string): AppError {
  return new AppError("notFound", "WEBHOOK_NOT_FOUND", `No webhook ${id}.`);
}
