import { randomUUID } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import { jsonText, transact, violates } from "@chargemesh/kit/postgres";
import { newRequestId, requestId } from "@chargemesh/kit/request-id";
import { type CommandEnd, claimCommand, commandByKey, endCommand, expireCommands, failOrphans, insertCommand } from "../db/command.ts";
import type { CommandRow, Db, Json } from "../db/schema.ts";
import { commandUpdated } from "../events.ts";
import { settleAssignment } from "./assignment-outcome.ts";
import { settleCertificate } from "./certificate.ts";
import { settleConfiguration } from "./configuration.ts";
import { settleFirmwareUpdate } from "./firmware-update.ts";
import { settleLocalList } from "./local-list.ts";
import type { Question } from "./question.ts";
import { settleReservation } from "./reservation-outcome.ts";
import { settleRotation } from "./rotation.ts";
import { settleUpload } from "./upload.ts";

/** Stands in a payload for what is not to be seen. */
export const SECRET = "(secret)";

/** What is to be asked of a charger, in the words of the OCPP version that it speaks. */
export interface NewCommand {
  chargerId: string;
  action: string;
  payload: Json;
  /** How long it waits for an offline charger, in seconds; 0 is not at all. */
  ttlSeconds: number;
  /** Empty is none. */
  idempotencyKey: string;
  /** Who asks; undefined if nobody does. */
  userId: string | undefined;
  /** Of a remote start: what the transaction that it leads to will say; connector 0 is any. */
  start?: { idToken: string; connectorId: number } | undefined;
  /** Seals what stands for SECRET in the payload, for the command of this id. */
  sealSecret?: ((id: string) => string) | undefined;
  /** Runs in the transaction that puts it into the books, before that. */
  prepare?: Asking["prepare"];
  /** The same, after it. */
  keep?: Asking["keep"];
}

/** Asks things of chargers. charger-service's ocpp/ does it; rpc/ and domain/ only know this. */
export interface Commander {
  /** Sends any action. INVALID_ARGUMENT if it is not one that we may send to this charger, or its payload is not right. */
  send(request: Asking & { action: string; payload: Json }): Promise<CommandRow>;
  /** Asks a question in the words of the charger's version. INVALID_ARGUMENT for `field` if that version cannot carry it. */
  ask(request: Asking & { question: Question; field: string }): Promise<CommandRow>;
  /** How many characters an id token may have in the version that a charger speaks. */
  idTokenLengthMax(chargerId: string): Promise<number>;
  /** Closes a charger's connection, wherever it is, and says why; with an epoch, that connection and no other. */
  disconnect(chargerId: string, reason: string, epoch?: number): Promise<void>;
}

/** What everything that is asked of a charger has. */
export interface Asking {
  chargerId: string;
  /** How long to wait for the charger's answer, in seconds; 0 is not at all. */
  waitSeconds: number;
  ttlSeconds: number;
  idempotencyKey: string;
  userId: string | undefined;
  /**
   * Runs in the database transaction that puts the command into the books, before it is there: for locks that must come first.
   * Neither this nor `keep` runs for a repeat that gets the first one's command.
   */
  prepare?: ((tx: Db, commandId: string) => Promise<void>) | undefined;
  /** The same, when it is there: ties to the command what it is for. */
  keep?: ((tx: Db, command: CommandRow) => Promise<void>) | undefined;
}

/** A command that need not wait for an offline charger may still wait its turn this long, in seconds. */
const TURN_SECONDS = 60;

/** Puts a command into the books, or answers the one that has its idempotency key already. INVALID_ARGUMENT if that asks for something else, NOT_FOUND if the charger is gone. */
export function queueCommand(db: Db, command: NewCommand, now: Date): Promise<CommandRow> {
  return transact(db, async (tx) => {
    const id = randomUUID();
    await command.prepare?.(tx, id);
    const row = await insertCommand(tx, {
      id,
      sealed_secret: command.sealSecret?.(id) ?? null,
      charger_id: command.chargerId,
      action: command.action,
      payload: jsonText(command.payload),
      start_id_token: command.start?.idToken ?? null,
      start_connector_id: command.start?.connectorId ?? null,
      idempotency_key: command.idempotencyKey === "" ? null : command.idempotencyKey,
      user_id: command.userId ?? null,
      expire_time: new Date(now.getTime() + (command.ttlSeconds || TURN_SECONDS) * 1000),
      waits: command.ttlSeconds > 0,
      trace_id: requestId() ?? newRequestId(),
    });
    if (row !== undefined) {
      await command.keep?.(tx, row);
      await commandUpdated(tx, row);
      const details = { command: row.id, ocppAction: row.action };
      await recordAudit(tx, { resource: `chargers/${row.charger_id}`, actionByItself: "ocpp/Command", details });
      return row;
    }
    const first = await commandByKey(tx, command.chargerId, command.idempotencyKey, command.userId);
    if (first?.action !== command.action) {
      throw badRequest([{ field: "idempotency_key", description: "was used for another command of this charger" }]);
    }
    return first;
  }).catch((err: unknown) => {
    // The charger was deleted in this moment.
    throw violates(err, "command_charger_id_fkey") ? noCharger(command.chargerId) : err;
  });
}

/** Makes a queued command sent on the connection of this epoch. Undefined if it must not be sent any more. */
export function beginCommand(db: Db, id: string, epoch: number): Promise<CommandRow | undefined> {
  return transact(db, async (tx) => {
    const row = await claimCommand(tx, id, epoch);
    if (row !== undefined) await commandUpdated(tx, row);
    return row;
  });
}

/** Ends a command that was sent. Undefined if somebody else ended it. `learn` runs in the same transaction if the charger has answered. */
export function finishCommand(db: Db, id: string, end: CommandEnd, learn?: Learn): Promise<CommandRow | undefined> {
  return transact(db, async (tx) => {
    const row = await endCommand(tx, id, ["SENT"], end);
    if (row === undefined) return undefined;
    // As it is kept: with what no column holds left out of it.
    if (row.response !== null) await learn?.(tx, row, row.response);
    await ended(tx, row);
    return row;
  });
}

/** Keeps what a charger's answer to a command says. */
export type Learn = (tx: Db, command: CommandRow, response: Json) => Promise<void>;

/** Ends a command that was not sent. Undefined if it was. */
export function dropCommand(db: Db, id: string, end: CommandEnd): Promise<CommandRow | undefined> {
  return transact(db, async (tx) => {
    const row = await endCommand(tx, id, ["QUEUED"], end);
    if (row !== undefined) await ended(tx, row);
    return row;
  });
}

/** So many end in one database transaction: a charger may wait for what hangs on them. */
const SWEPT_AT_ONCE = 50;

/** Ends the commands that nobody else will: those that waited too long and those whose connection is gone. Any replica may do it; for each, one does. */
export async function sweepCommands(db: Db): Promise<void> {
  for (const end of [expireCommands, failOrphans]) {
    const sweep = async (tx: Db): Promise<number> => {
      const rows = await end(tx, SWEPT_AT_ONCE);
      for (const row of rows) await ended(tx, row);
      return rows.length;
    };
    while ((await transact(db, sweep)) >= SWEPT_AT_ONCE);
  }
}

/** Each gets every command that ends, however it does, in the database transaction of its end, and sees to what hangs on it. */
const settlers: readonly ((tx: Db, command: CommandRow) => Promise<void>)[] = [
  settleRotation,
  settleUpload,
  settleFirmwareUpdate,
  settleReservation,
  settleAssignment,
  settleCertificate,
  settleConfiguration,
  settleLocalList,
];

async function ended(tx: Db, row: CommandRow): Promise<void> {
  for (const settle of settlers) await settle(tx, row);
  await commandUpdated(tx, row);
}

/** NOT_FOUND for a charger. */
export function noCharger(id: string): AppError {
  return new AppError("notFound", "CHARGER_NOT_FOUND", `No charger ${id}.`);
}
