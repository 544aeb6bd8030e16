import { chargerLimits } from "../db/configuration.ts";
import type { LocalListMode, LocalListRow } from "../db/configuration-tables.ts";
import { nearestStorable } from "../db/integer.ts";
import {
  type Difference,
  type ListRule,
  lockLocalList,
  lockLocalListOf,
  type NewEntry,
  putEntries,
  putLocalList,
} from "../db/local-list.ts";
import type { CommandRow, Db } from "../db/schema.ts";

// What chargers have on their lists, as they tell it.

/** What an update says. */
export interface ListUpdate {
  version: number;
  replaces: boolean;
  entries: readonly NewEntry[];
  removed: readonly string[];
}

/** How a charger put it that it was to take an update. */
export type UpdateAnswer = "taken" | "failed" | "notSupported";

/** What a charger that keeps no list is said to have answered, whatever its words were. */
export const NOT_SUPPORTED = "NotSupported";
/** A charger that has refused a whole list is tried again after this, in ms; one that did not answer, after that; one that got nothing, soon. */
const AFTER_REFUSAL_MS = 600_000;
const AFTER_SILENCE_MS = 60_000;
const AFTER_NOTHING_MS = 5_000;

/** Keeps what a charger answered to an update; `word` is its own. */
export async function learnUpdate(tx: Db, command: CommandRow, update: ListUpdate, answer: UpdateAnswer, word: string): Promise<void> {
  const { charger_id: chargerId } = command;
  const now = command.end_time ?? new Date();
  const row = await lockLocalList(tx, chargerId);
  if (answer === "notSupported") return refused(tx, chargerId, NOT_SUPPORTED);
  if (answer === "failed") {
    // What replaces everything is what a charger is told that did not take a part (OCPP 1.6 §5.15).
    const retryTime = update.replaces ? new Date(now.getTime() + AFTER_REFUSAL_MS) : null;
    await putLocalList(tx, chargerId, { refusal: word, must_replace: true, is_due: isKept(row?.mode), retry_time: retryTime });
    return;
  }
  await putEntries(tx, chargerId, update);
  const isOurs = row?.command_id === command.id;
  await putLocalList(tx, chargerId, {
    version: update.version,
    charger_version: update.version,
    charger_version_time: now,
    update_time: now,
    refusal: "",
    retry_time: null,
    // After ours there may be more to tell; after somebody else's there is what belongs there.
    is_due: isKept(row?.mode) || (isOurs && row.is_due),
    must_replace: !update.replaces && !isOurs && (row?.must_replace ?? true),
  });
}

/** Whether a list follows the id tokens by itself. */
function isKept(mode: LocalListMode | undefined): boolean {
  return mode !== undefined && mode !== "OFF";
}

async function refused(tx: Db, chargerId: string, refusal: string): Promise<void> {
  await putLocalList(tx, chargerId, { refusal, must_replace: true, retry_time: null });
}

/** Keeps the version that a charger names; if it is not the one that we believe it has, it is told everything anew. */
export async function learnListVersion(tx: Db, command: CommandRow, version: number): Promise<void> {
  const { charger_id: chargerId } = command;
  const row = await lockLocalList(tx, chargerId);
  const said = { charger_version: nearestStorable(version), charger_version_time: command.end_time ?? new Date() };
  if (row === undefined || row.command_id !== null || !isKept(row.mode)) {
    await putLocalList(tx, chargerId, said);
  } else if (version < 0) {
    await putLocalList(tx, chargerId, { ...said, refusal: NOT_SUPPORTED, must_replace: true });
  } else if (version !== row.version) {
    await putLocalList(tx, chargerId, { ...said, must_replace: true, is_due: true });
  } else {
    await putLocalList(tx, chargerId, said);
  }
}

/** Errors by which a charger says that it knows no lists. */
const NO_LISTS = new Set(["NotImplemented", "NotSupported"]);

/** A command has ended: if it was to update a list, another may. */
export async function settleLocalList(tx: Db, command: CommandRow): Promise<void> {
  const row = await lockLocalListOf(tx, command.id);
  if (row === undefined) return;
  await putLocalList(tx, row.charger_id, { command_id: null, ...withoutAnswer(command) });
}

/** What it means for a list that an update of it got no proper answer. */
function withoutAnswer(command: CommandRow): Partial<LocalListRow> {
  const after = (ms: number): Date => new Date((command.end_time ?? new Date()).getTime() + ms);
  if (command.response !== null) return {};
  if (command.send_time === null) return { retry_time: after(AFTER_NOTHING_MS) };
  if (NO_LISTS.has(command.error_code)) return { refusal: NOT_SUPPORTED, must_replace: true };
  const isError = command.state === "FAILED" && command.error_code !== "CONNECTION_LOST";
  // It may have taken it, or not.
  if (!isError) return { must_replace: true, retry_time: after(AFTER_SILENCE_MS) };
  return { refusal: command.error_code, must_replace: true, retry_time: after(AFTER_REFUSAL_MS) };
}

/** How many entries one update may have where the charger does not say, and how many a list. */
const ENTRIES_ORDINARY = { update: 100, list: 100_000 };
/** However many a charger says it can take: some 100 bytes each are a frame of 100 KB. */
const UPDATE_ENTRIES_MAX = 1_000;

/** What decides which id tokens are on the list of a charger, and how many go into one update. */
export async function listRule(
  db: Db,
  { charger_id: chargerId, mode }: LocalListRow,
  idTokenLengthMax: number,
): Promise<ListRule & { entriesPerUpdate: number }> {
  const limits = await chargerLimits(db, chargerId);
  const entriesMax = limits?.list_entries ?? ENTRIES_ORDINARY.list;
  const entriesPerUpdate = Math.min(Math.max(1, limits?.list_entries_per_update ?? ENTRIES_ORDINARY.update), UPDATE_ENTRIES_MAX);
  return { chargerId, mode, idTokenLengthMax, entriesMax, entriesPerUpdate };
}

/** The update that brings a list nearer to what it should be. */
export function toUpdate(row: LocalListRow, differences: readonly Difference[]): ListUpdate {
  return {
    version: Math.max(row.version, row.charger_version ?? 0, 0) + 1,
    replaces: row.must_replace,
    entries: differences.filter(({ belongs }) => belongs),
    removed: differences.filter(({ belongs }) => !belongs).map(({ idToken }) => idToken),
  };
}
