import type { Preferences } from "@chargemesh/contracts/email/v1/preference";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError, badRequest, type FieldViolation } from "@chargemesh/kit/errors";
import type { Caller } from "@chargemesh/kit/identity";
import { transact } from "@chargemesh/kit/postgres";
import { deleteQueuedMessages } from "../db/message.ts";
import { addOptOut, optOutsOf, removeOptOut } from "../db/opt-out.ts";
import { recipientById } from "../db/recipient.ts";
import type { Db, OptOutCategory, RecipientRow } from "../db/schema.ts";
import { readLanguage } from "../mail/language.ts";

/** The fields of Preferences that can be changed, and what each is about. */
const fields = { charging: "CHARGING", reservation: "RESERVATION", operation: "OPERATION" } as const satisfies Record<
  string,
  OptOutCategory
>;

type Field = keyof typeof fields;

const names = Object.keys(fields) as Field[];

/** The user who calls, whom the access rule has held to be one. */
export function userIdOf(caller: Caller): string {
  if (caller.kind !== "user") throw new Error(`a caller that is ${caller.kind} came past the access rule`);
  return caller.userId;
}

/** NOT_FOUND if no event has told us of this user, or they are no more. */
export async function mustBeKnown(db: Db, userId: string): Promise<void> {
  if (!isThere(await recipientById(db, userId))) throw new AppError("notFound", "USER_NOT_FOUND", `No user ${userId}.`);
}

/** Of a user of whom we may know nothing yet. */
export async function preferencesOf(db: Db, userId: string): Promise<Preferences> {
  const recipient = await recipientById(db, userId);
  const optOuts = await optOutsOf(db, userId);
  return {
    userId,
    email: recipient?.email ?? "",
    language: readLanguage(recipient?.language ?? ""),
    charging: !optOuts.has("CHARGING"),
    reservation: !optOuts.has("RESERVATION"),
    operation: !optOuts.has("OPERATION"),
  };
}

/** What an update asks for. INVALID_ARGUMENT if update_mask names nothing, or what cannot be changed. */
export function readChange(preferences: Preferences | undefined, updateMask: readonly string[] = []): ReadonlyMap<OptOutCategory, boolean> {
  const violations: FieldViolation[] = [];
  if (updateMask.length === 0) violations.push({ field: "update_mask", description: "is required" });
  if (updateMask.some((path) => !names.some((name) => name === path)))
    violations.push({ field: "update_mask", description: "may name charging, reservation and operation only" });
  if (violations.length > 0) throw badRequest(violations);
  const named = names.filter((name) => updateMask.includes(name));
  return new Map(named.map((name) => [fields[name], preferences?.[name] ?? false]));
}

/** Turns kinds of mails on and off for a user, and answers what they want then. Mails that wait and are not wanted any more are dropped. */
export function changePreferences(
  { db, clock }: { db: Db; clock: Clock },
  userId: string,
  change: ReadonlyMap<OptOutCategory, boolean>,
): Promise<Preferences> {
  return transact(db, async (tx) => {
    for (const [category, isWanted] of change)
      await (isWanted ? removeOptOut(tx, userId, category) : optOut(tx, userId, category, clock.now()));
    const details = Object.fromEntries([...change].map(([category, isWanted]) => [category.toLowerCase(), isWanted ? "on" : "off"]));
    await recordAudit(tx, { resource: `users/${userId}`, details });
    return preferencesOf(tx, userId);
  });
}

/** Sends a user no more of a kind. Says whether it was not so already. */
export async function optOut(tx: Db, userId: string, category: OptOutCategory, now: Date): Promise<boolean> {
  await deleteQueuedMessages(tx, userId, category);
  return addOptOut(tx, userId, category, now);
}

/** Whether we know the user, and they are still one. */
export function isThere(recipient: RecipientRow | undefined): recipient is RecipientRow {
  return recipient !== undefined && recipient.username !== "";
}
