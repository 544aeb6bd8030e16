import { recordAudit } from "@chargemesh/kit/audit";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import { jsonText, transact, violates } from "@chargemesh/kit/postgres";
import { type CommandEnd, claimCommand, commandByKey, endCommand, expireCommands, failOrphans, insertCommand } from "../db/command.ts";
import type { CommandRow, Db, Json } from "../db/schema.ts";
import { commandUpdated } from "../events.ts";
import { beginRotation, settleRotation } from "./rotation.ts";

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
  /** Of one that carries a new password: its own id, the hash of the password, and sealed what stands for SECRET in the payload. */
  rotation?: { id: string; passwordHash: Buffer; sealedSecret: string } | undefined;
}

/** Asks things of chargers. charger-service's ocpp/ does it; rpc/ and domain/ only know this. */
export interface Commander {
  /** Sends any action. INVALID_ARGUMENT if it is not one that we may send to this charger, or its payload is not right. */
  send(request: Omit<NewCommand, "start" | "rotation"> & { waitSeconds: number }): Promise<CommandRow>;
  /** Asks a charger to start a transaction. Connector 0 leaves the choice to it. */
  remoteStart(request: Asking & { idToken: string; connectorId: number }): Promise<CommandRow>;
  /** Asks a charger to stop a transaction. */
  remoteStop(request: Asking & { transactionId: number }): Promise<CommandRow>;
  /** Opens or closes a charger as a whole. */
  changeAvailability(request: Asking & { available: boolean }): Promise<CommandRow>;
  /** Gives a charger a new password. INVALID_ARGUMENT if it is not one that this charger can be told, FAILED_PRECONDITION if it may not have one. */
  rotatePassword(request: Asking & { password: Buffer }): Promise<CommandRow>;
  /** Closes a charger's connection, wherever it is, and says why; with an epoch, that connection and no other. */
  disconnect(chargerId: string, reason: string, epoch?: number): Promise<void>;
}

/** What every question to a charger has. */
export interface Asking {
  chargerId: string;
  /** How long to wait for the charger's answer, in seconds; 0 is not at all. */
  waitSeconds: number;
  ttlSeconds: number;
  idempotencyKey: string;
  userId: string | undefined;
}

/** A command that need not wait for an offline charger may still wait its turn this long, in seconds. */
const TURN_SECONDS = 60;

/** Puts a command into the books, or answers the one that has its idempotency key already. INVALID_ARGUMENT if that asks for something else, NOT_FOUND if the charger is gone. */
export function queueCommand(db: Db, command: NewCommand, now: Date): Promise<CommandRow> {
  return transact(db, async (tx) => {
    const { rotation } = command;
    if (rotation !== undefined) await beginRotation(tx, command.chargerId, rotation.id, rotation.passwordHash);
    const row = await insertCommand(tx, {
      ...(rotation === undefined ? {} : { id: rotation.id, sealed_secret: rotation.sealedSecret }),
      charger_id: command.chargerId,
      action: command.action,
      payload: jsonText(command.payload),
      start_id_token: command.start?.idToken ?? null,
      start_connector_id: command.start?.connectorId ?? null,
      idempotency_key: command.idempotencyKey === "" ? null : command.idempotencyKey,
      user_id: command.userId ?? null,
      expire_time: new Date(now.getTime() + (command.ttlSeconds || TURN_SECONDS) * 1000),
      waits: command.ttlSeconds > 0,
    });
    if (row !== undefined) {
      await commandUpdated(tx, row);
      await recordAudit(tx, { resource: `chargers/${row.charger_id}`, details: { command: row.id, ocppAction: row.action } });
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

/** Ends a command that was sent. Undefined if somebody else ended it. */
export function finishCommand(db: Db, id: string, end: CommandEnd): Promise<CommandRow | undefined> {
  return transact(db, async (tx) => {
    const row = await endCommand(tx, id, ["SENT"], end);
    if (row !== undefined) await ended(tx, row);
    return row;
  });
}

/** Ends a command that was not sent. Undefined if it was. */
export function dropCommand(db: Db, id: string, end: CommandEnd): Promise<CommandRow | undefined> {
  return transact(db, async (tx) => {
    const row = await endCommand(tx, id, ["QUEUED"], end);
    if (row !== undefined) await ended(tx, row);
    return row;
  });
}

/** Ends the commands that nobody else will: those that waited too long and those whose connection is gone. */
export function sweepCommands(db: Db): Promise<void> {
  return transact(db, async (tx) => {
    for (const row of [...(await expireCommands(tx)), ...(await failOrphans(tx))]) await ended(tx, row);
  });
}

async function ended(tx: Db, row: CommandRow): Promise<void> {
  await settleRotation(tx, row);
  await commandUpdated(tx, row);
}

/** NOT_FOUND for a charger. */
export function noCharger(id: string): AppError {
  return new AppError("notFound", "CHARGER_NOT_FOUND", `No charger ${id}.`);
}
