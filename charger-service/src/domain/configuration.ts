import { AppError } from "@chargemesh/kit/errors";
import {
  type ChargerLimits,
  type ConfigurationKeyFacts,
  configurationKey,
  countConfigurationKeys,
  deleteConfigurationKey,
  lockConfiguration,
  lockConfigurationKey,
  lockConfigurationKeyOf,
  lockConfigurationKeys,
  putChargerLimits,
  putConfigurationKeys,
} from "../db/configuration.ts";
import type { ConfigurationKeyRow, ConfigurationState, WantedState } from "../db/configuration-tables.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { chargerConfigurationDrifted } from "../events.ts";

/** What a charger says of one of its keys; no value is none, or one that it keeps to itself. */
export interface Setting {
  key: string;
  value: string | undefined;
  readOnly: boolean;
}

/** What an answer says of a charger's configuration. */
export interface Reading {
  settings: readonly Setting[];
  /** Keys that it says it does not know. */
  unknown: readonly string[];
  /** Keys that it should have named and has not. */
  unsaid: readonly string[];
  limits: ChargerLimits;
}

/** How a charger put it that it was to take a value. */
export type ChangeAnswer = "taken" | "takenAfterBoot" | "refused" | "unknown";

/** A value that gets no answer so often is not sent again by itself: it may be what brings the charger down. */
const UNANSWERED_MAX = 3;
/** More keys has no charger; one that makes up new ones again and again is not to fill the database. */
const KEYS_MAX = 2_000;
/** Longer names are no charger's, and an index has no room for them. */
const KEY_LENGTH_MAX = 500;

/** Keeps what a charger says of its configuration, and tells of what has drifted. */
export async function learnConfiguration(tx: Db, chargerId: string, reading: Reading, now: Date): Promise<void> {
  await putChargerLimits(tx, chargerId, reading.limits);
  const named = new Map<string, (row: ConfigurationKeyFacts) => ConfigurationKeyFacts>();
  const name = (key: string, change: (row: ConfigurationKeyFacts) => ConfigurationKeyFacts): void => {
    if (key.length <= KEY_LENGTH_MAX) named.set(key, change);
  };
  for (const key of reading.unsaid) name(key, (row) => row);
  for (const key of reading.unknown) {
    name(key, (row) => ({ ...afterReading(row, null), is_unknown: true, value: null, read_time: now }));
  }
  for (const { key, value = null, readOnly } of reading.settings) {
    const said = { key, value, read_only: readOnly, is_unknown: false, read_time: now };
    name(key, (row) => ({ ...afterReading(row, value), ...said }));
  }
  await change(tx, chargerId, named);
}

/** A value that was to be taken after a boot is looked for once that boot has come; whoever has the wanted value has taken it. */
function afterReading(row: ConfigurationKeyFacts, value: string | null): ConfigurationKeyFacts {
  const state = row.wanted_state;
  if (state === null || state === "REBOOT") return row;
  const hasIt = value !== null && row.wanted_value !== null && isSame(value, row.wanted_value);
  return { ...row, wanted_state: hasIt || state === "BOOTED" ? "TAKEN" : state };
}

/** Keeps what a charger answered when it was to take a value. */
export async function learnChange(tx: Db, command: CommandRow, key: string, value: string, answer: ChangeAnswer): Promise<void> {
  const now = command.end_time ?? new Date();
  await change(tx, command.charger_id, new Map([[key, (row) => afterAnswer(row, command.id, value, answer, now)]]));
}

function afterAnswer(row: ConfigurationKeyFacts, commandId: string, value: string, answer: ChangeAnswer, now: Date): ConfigurationKeyFacts {
  const isWanted = row.wanted_value !== null && isSame(row.wanted_value, value);
  const wanted = (state: WantedState): WantedState | null => (isWanted ? state : row.wanted_state);
  switch (answer) {
    case "taken":
      return { ...row, value, is_unknown: false, read_time: now, wanted_state: wanted("TAKEN") };
    case "takenAfterBoot":
      return { ...row, is_unknown: false, wanted_state: wanted("REBOOT") };
    case "unknown":
      return { ...row, value: null, is_unknown: true, read_time: now, wanted_state: wanted("REFUSED") };
    case "refused":
      // Another's refusal says nothing of what is wanted.
      return row.command_id === commandId ? { ...row, wanted_state: wanted("REFUSED") } : row;
  }
}

/** Wants a key to have a value, which this command is to carry to the charger. */
export async function wantValue(
  tx: Db,
  { charger_id: chargerId, id, user_id: userId, create_time: now }: CommandRow,
  key: string,
  value: string,
): Promise<void> {
  const wanted = { wanted_value: value, wanted_time: now, wanted_user_id: userId, wanted_state: "WAITING" } as const;
  await change(tx, chargerId, new Map([[key, (row) => ({ ...row, ...wanted, unanswered: 0, command_id: id })]]));
}

/** Thrown if something else is wanted of a key than was to be sent. */
export class WantedOtherwise extends Error {}

/** Has this command carry what is wanted once more. Throws WantedOtherwise if that is something else by now. */
export async function wantAgain(tx: Db, command: CommandRow, { key, wanted_value }: ConfigurationKeyRow): Promise<void> {
  const row = await lockConfigurationKey(tx, command.charger_id, key);
  if (row?.wanted_state !== "WAITING" || row.wanted_value !== wanted_value) {
    throw new WantedOtherwise(`what is wanted of ${key} has changed`);
  }
  await putConfigurationKeys(tx, [facts({ ...row, command_id: command.id })]);
}

/** Wants nothing of a key any more. NOT_FOUND if nothing was. What the charger never named is forgotten. */
export async function releaseKey(tx: Db, chargerId: string, key: string): Promise<ConfigurationKeyRow> {
  const row = await lockConfigurationKey(tx, chargerId, key);
  if (row === undefined || row.wanted_state === null) throw noKey(chargerId, key);
  const nothing = { wanted_value: null, wanted_time: null, wanted_user_id: null, wanted_state: null, unanswered: 0, command_id: null };
  const released = facts({ ...row, ...nothing });
  const [kept = row] = await putConfigurationKeys(tx, [{ ...released, state: stateOf(released) }]);
  if (row.read_time === null) await deleteConfigurationKey(tx, row);
  return kept;
}

/** A command has ended: one that carried a wanted value and got no answer is counted, or what it was answered is a refusal. */
export async function settleConfiguration(tx: Db, command: CommandRow): Promise<void> {
  // Of one that was answered we have learnt already; one that was not sent says nothing.
  if (command.response !== null || command.send_time === null) return;
  const row = await lockConfigurationKeyOf(tx, command.id);
  if (row?.wanted_state !== "WAITING") return;
  const unanswered = row.unanswered + 1;
  const isOver = isAnswer(command) || unanswered >= UNANSWERED_MAX;
  await put(tx, [[row, facts({ ...row, unanswered, wanted_state: isOver ? "REFUSED" : "WAITING" })]]);
}

/** Whether the charger has answered, if only by an error. */
function isAnswer({ state, error_code }: CommandRow): boolean {
  return state === "FAILED" && error_code !== "CONNECTION_LOST";
}

/** The key, as far as anything is known of it. NOT_FOUND if nothing is. */
export async function existingKey(db: Db, chargerId: string, key: string): Promise<ConfigurationKeyRow> {
  const row = await configurationKey(db, chargerId, key);
  if (row === undefined) throw noKey(chargerId, key);
  return row;
}

function noKey(chargerId: string, key: string): AppError {
  return new AppError("notFound", "CONFIGURATION_KEY_NOT_FOUND", `Nothing is known or wanted of ${key} at charger ${chargerId}.`);
}

/** Whether two texts stand for the same value: case does not count in booleans, nor does space in lists. */
function isSame(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(value: string): string {
  const text = value.trim().replaceAll(/\s*,\s*/g, ",");
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text;
}

function stateOf(row: ConfigurationKeyFacts): ConfigurationState {
  const { wanted_state: wanted, wanted_value: wantedValue, value } = row;
  if (wanted === "WAITING" || wanted === "REBOOT" || wanted === "BOOTED") return "PENDING";
  if (row.is_unknown) return "UNKNOWN_TO_CHARGER";
  if (wantedValue === null) return "UNMANAGED";
  return value !== null && isSame(value, wantedValue) ? "IN_SYNC" : "DRIFTED";
}

/** Changes what is known of these keys, each by its own function, which gets an empty row if nothing was. */
async function change(
  tx: Db,
  chargerId: string,
  changes: ReadonlyMap<string, (row: ConfigurationKeyFacts) => ConfigurationKeyFacts>,
): Promise<void> {
  await lockConfiguration(tx, chargerId);
  const before = new Map((await lockConfigurationKeys(tx, chargerId, [...changes.keys()])).map((row) => [row.folded, row]));
  const after = new Map<string, [ConfigurationKeyRow | undefined, ConfigurationKeyFacts]>();
  let room = before.size === changes.size ? 0 : KEYS_MAX - (await countConfigurationKeys(tx, chargerId));
  for (const [key, of] of changes) {
    const name = foldedKey(key);
    const row = before.get(name);
    if (row === undefined && room-- <= 0) continue;
    // A charger that names a key twice means what it says last.
    after.set(name, [row, of(row === undefined ? unknownKey(chargerId, key) : facts(row))]);
  }
  await put(tx, [...after.values()]);
}

async function put(tx: Db, rows: readonly [before: ConfigurationKeyRow | undefined, after: ConfigurationKeyFacts][]): Promise<void> {
  const changed = rows.map(([before, after]) => ({ before, after: { ...after, state: stateOf(after) } }));
  const kept = new Map(
    (
      await putConfigurationKeys(
        tx,
        changed.map(({ after }) => after),
      )
    ).map((row) => [row.folded, row]),
  );
  for (const { before, after } of changed) {
    const row = kept.get(foldedKey(after.key));
    const isAdrift = after.wanted_value !== null && (after.state === "DRIFTED" || after.state === "UNKNOWN_TO_CHARGER");
    if (row !== undefined && isAdrift && before?.state !== after.state) await chargerConfigurationDrifted(tx, row);
  }
}

/** As the database does it: only of A to Z. */
function foldedKey(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function facts({ folded: _, ...row }: ConfigurationKeyRow): ConfigurationKeyFacts {
  return row;
}

function unknownKey(chargerId: string, key: string): ConfigurationKeyFacts {
  return {
    charger_id: chargerId,
    key,
    value: null,
    read_only: false,
    is_unknown: false,
    read_time: null,
    wanted_value: null,
    wanted_time: null,
    wanted_user_id: null,
    wanted_state: null,
    unanswered: 0,
    command_id: null,
    state: "UNMANAGED",
  };
}
