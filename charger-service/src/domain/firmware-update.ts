import { transact } from "@chargemesh/kit/postgres";
import type { FirmwareUpdateRow, FirmwareUpdateState } from "../db/file-tables.ts";
import {
  cancelOtherFirmwareUpdates,
  changeFirmwareUpdate,
  expireFirmwareUpdates,
  type FirmwareChange,
  firmwareUpdateByCommand,
  firmwareUpdateSpokenOf,
} from "../db/firmware-update.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { firmwareUpdateUpdated } from "../events.ts";
import { effectOf } from "./command-effect.ts";
import { noteStatusReport } from "./status-report.ts";

/** What a charger may say of an update. */
export type FirmwareProgress = Extract<
  FirmwareUpdateState,
  "REQUESTED" | "DOWNLOADING" | "DOWNLOADED" | "INSTALLING" | "INSTALLED" | "FAILED"
>;

/** How far each is. What is said late takes nothing back. */
const far: Record<FirmwareProgress, number> = { REQUESTED: 0, DOWNLOADING: 1, DOWNLOADED: 2, INSTALLING: 3, INSTALLED: 4, FAILED: 4 };
/** A charger that says more of one update has lost its way. */
const STEPS_MAX = 200;

/** A command has ended: if it asked for firmware and the charger plainly does not fetch it, that is its end. */
export async function settleFirmwareUpdate(tx: Db, command: CommandRow): Promise<void> {
  if (!["REFUSED", "NONE"].includes(effectOf(command))) return;
  const update = await firmwareUpdateByCommand(tx, command.id);
  if (update?.state !== "REQUESTED") return;
  const now = command.end_time ?? update.update_time;
  const status = command.status || command.error_code;
  await change(tx, update, { state: "FAILED", status, expire_time: now }, now);
}

/** A charger fetches the firmware of this command, and no other that it was asked to fetch before. */
export async function replaceFirmwareUpdates(tx: Db, command: CommandRow): Promise<void> {
  const cancelled = await cancelOtherFirmwareUpdates(tx, command.charger_id, command.id, command.end_time ?? command.create_time);
  for (const update of cancelled) await firmwareUpdateUpdated(tx, update);
}

/**
 * A charger says how its update of this number goes; without a number it is its newest. Of one that we do not know is only told.
 * Everything it says is kept, but for repeats in a row; what it says late changes nothing else.
 */
export function noteFirmwareStatus(
  db: Db,
  chargerId: string,
  requestId: number | undefined,
  status: string,
  progress: FirmwareProgress,
  now: Date,
): Promise<void> {
  return transact(db, async (tx) => {
    const update = await firmwareUpdateSpokenOf(tx, chargerId, requestId);
    if (update === undefined) return noteStatusReport(tx, chargerId, "firmware", status, now);
    if (update.steps.at(-1)?.status === status || update.steps.length >= STEPS_MAX) return;
    const step = { status, time: now.toISOString() };
    // A boot may have shown already what it says now.
    const isTaken = update.state === progress || isNews(update.state, progress);
    await change(tx, update, isTaken ? { state: progress, status, step } : { step }, now);
  });
}

/** What has failed may begin anew; what is late in coming may still come; what is installed stays so. */
function isNews(state: FirmwareUpdateState, progress: FirmwareProgress): boolean {
  if (state === "FAILED" || state === "EXPIRED") return true;
  return state !== "CANCELLED" && far[progress] > far[state];
}

/** A charger has booted with this firmware: what its newest update was to lead to, or something else. */
export async function confirmFirmware(tx: Db, chargerId: string, bootedVersion: string, now: Date): Promise<void> {
  if (bootedVersion === "") return;
  const update = await firmwareUpdateSpokenOf(tx, chargerId, undefined);
  if (update === undefined || update.confirm_time !== null) return;
  const hasInstalled = ["DOWNLOADED", "INSTALLING", "INSTALLED"].includes(update.state);
  // Many boot into the new one before they say that it is installed, some without ever saying it. One that had this version before has shown nothing.
  const isConfirmed = update.firmware_version === bootedVersion && (hasInstalled || update.previous_version !== bootedVersion);
  if (isConfirmed) await change(tx, update, { state: "INSTALLED", booted_version: bootedVersion, confirm_time: now }, now);
  else if (update.booted_version !== bootedVersion) await change(tx, update, { booted_version: bootedVersion }, now);
}

/** Ends the updates of which nothing was heard in time. */
export function sweepFirmwareUpdates(db: Db, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    for (const update of await expireFirmwareUpdates(tx, now)) await firmwareUpdateUpdated(tx, update);
  });
}

async function change(tx: Db, update: FirmwareUpdateRow, what: FirmwareChange, now: Date): Promise<void> {
  await firmwareUpdateUpdated(tx, await changeFirmwareUpdate(tx, update.id, what, now));
}
