import { AppError } from "@chargemesh/kit/errors";
import { chargerById, connectorsOf } from "../db/charger.ts";
import { endCommand } from "../db/command.ts";
import { deleteRotation, insertRotation, lockPassword, rotationsOf } from "../db/password.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { chargerUpdated, commandUpdated } from "../events.ts";

// A new password counts beside the old one from when it is made until the charger shows it, for the charger may have it and we not know.

/** Any of these may be what a charger has, if it never came back. */
const ROTATIONS_MAX = 4;

/** Lets a charger show a new password, which a command is about to carry there. FAILED_PRECONDITION if it may not have one. */
export async function beginRotation(tx: Db, chargerId: string, commandId: string, passwordHash: Buffer): Promise<void> {
  const charger = await lockPassword(tx, chargerId);
  if (charger === undefined) return;
  if (charger.password_revoked) {
    throw new AppError("failedPrecondition", "PASSWORD_REVOKED", `The password of charger ${chargerId} was revoked. Set a new one.`);
  }
  // Those that it cannot have are not worth keeping.
  const unsettled = await dropUnsent(tx, chargerId);
  if (unsettled >= ROTATIONS_MAX) {
    const message = `Charger ${chargerId} has not come back with any of its last ${unsettled} passwords. Cancel them first.`;
    throw new AppError("failedPrecondition", "ROTATIONS_UNSETTLED", message);
  }
  await insertRotation(tx, chargerId, commandId, passwordHash);
  await tellOf(tx, chargerId);
}

/** Forgets all new passwords of a charger, and does not send what has not been sent. Answers how many they were. */
export async function endRotations(tx: Db, chargerId: string): Promise<number> {
  const commandIds = await rotationsOf(tx, chargerId);
  for (const id of commandIds) {
    await cancel(tx, id);
    await deleteRotation(tx, id);
  }
  return commandIds.length;
}

/** A command has ended: if it carried a new password that the charger plainly does not have, that is forgotten. */
export async function settleRotation(tx: Db, command: CommandRow): Promise<void> {
  if (!isWithoutEffect(command) || !(await deleteRotation(tx, command.id))) return;
  await tellOf(tx, command.charger_id);
}

/** After a time-out, a lost connection or an error of its own a charger may have done what it was asked; after these it has not. */
function isWithoutEffect({ state, send_time, error_code }: CommandRow): boolean {
  return send_time === null || state === "REJECTED" || ["NotImplemented", "NotSupported", "SECRET_LOST"].includes(error_code);
}

/** Answers how many are left. */
async function dropUnsent(tx: Db, chargerId: string): Promise<number> {
  let left = 0;
  for (const id of await rotationsOf(tx, chargerId)) {
    if (await cancel(tx, id)) await deleteRotation(tx, id);
    else left++;
  }
  return left;
}

/** Ends a command that has not been sent. False if it has. */
async function cancel(tx: Db, commandId: string): Promise<boolean> {
  const cancelled = { state: "FAILED", errorCode: "CANCELLED", errorDescription: "It was cancelled before it was sent." } as const;
  const row = await endCommand(tx, commandId, ["QUEUED"], cancelled);
  if (row !== undefined) await commandUpdated(tx, row);
  return row !== undefined;
}

async function tellOf(tx: Db, chargerId: string): Promise<void> {
  const charger = await chargerById(tx, chargerId);
  if (charger !== undefined) await chargerUpdated(tx, charger, await connectorsOf(tx, [chargerId]));
}
