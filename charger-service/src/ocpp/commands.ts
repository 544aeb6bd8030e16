import type { Clock } from "@chargemesh/kit/clock";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import { newRequestId, withRequestId } from "@chargemesh/kit/request-id";
import type { SealedTexts } from "@chargemesh/kit/sealed-text";
import { type ChargerRow, chargerById } from "../db/charger.ts";
import { type CommandEnd, chargersWithQueue, commandById, queuedCommands } from "../db/command.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import { beginCommand, type Commander, dropCommand, finishCommand, type NewCommand, noCharger, queueCommand } from "../domain/command.ts";
import type { Tolerance } from "../domain/tolerance.ts";
import type { Connection } from "./connection.ts";
import { type Dialect, dialectOf, oldestDialect } from "./dialects.ts";
import { holdsNul } from "./dispatch.ts";
import { endOf } from "./ends.ts";
import type { Outcome } from "./outgoing.ts";
import { type Registry, SUPERSEDED_CODE } from "./registry.ts";
import type { Errand, Replicas } from "./replicas.ts";
import { withoutSecret, withSecret } from "./secrets.ts";

const DATABASE_RETRY_MS = 500;
const OFFLINE: CommandEnd = { state: "EXPIRED", errorCode: "CHARGER_OFFLINE", errorDescription: "The charger is not connected." };
const BUSY: CommandEnd = { state: "FAILED", errorCode: "TOO_MANY_CALLS", errorDescription: "Too many commands wait for this charger." };
const SECRET_LOST: CommandEnd = {
  state: "FAILED",
  errorCode: "SECRET_LOST",
  errorDescription: "It was not sent: the secret in it can no longer be read.",
};

/** Does here what concerns a connection that this replica holds. */
export interface CommandRunner {
  /** Does an errand. False if it could not: this replica does not hold that connection, or not any more. */
  run(errand: Errand): Promise<boolean>;
  /** Sends a charger what waited for it, oldest first, if it may work. */
  sendWaiting(connection: Connection): Promise<void>;
  /** The same for every charger of this replica that listens: for what could not be handed over while NATS or the database was away. */
  sendForgotten(replicaId: string): Promise<void>;
}

/** Runs commands on the connections that this replica holds. */
export function makeRunner(db: Db, registry: Registry, tolerance: Tolerance, sealed: SealedTexts, log: Logger): CommandRunner {
  /** Makes a command sent, for this connection. Undefined if it must not be sent on it. */
  const begin = (connection: Connection, commandId: string): Promise<CommandRow | undefined> =>
    patiently(async (isRepeat) => {
      const begun = await beginCommand(db, commandId, connection.epoch);
      if (begun !== undefined || !isRepeat) return begun;
      // The database may have done it the first time without our hearing of it: on a connection each has its turn, so nobody else did.
      const command = await commandById(db, connection.chargerId, commandId);
      return command?.state === "SENT" && command.epoch === connection.epoch ? command : undefined;
    });
  /** Sends a command that is begun, and answers how it has ended. */
  const perform = async (connection: Connection, { id, action, payload, sealed_secret }: CommandRow): Promise<CommandEnd> => {
    const end = (outcome: Outcome): Promise<CommandEnd> => patiently(() => endOf(connection, tolerance, action, outcome));
    if (sealed_secret === null) return end(await connection.call(action, payload));
    const [of, secret] = sealed.open(sealed_secret)?.split(" ") ?? [];
    if (secret === undefined || of !== id) return SECRET_LOST;
    return withoutSecret(await end(await connection.call(action, withSecret(payload, secret), secret)), secret);
  };
  /** The commands whose turn comes. */
  const inHand = new Set<string>();
  /** Sends one command when it is its turn, and waits for its end. False if it was not sent. */
  const send = (connection: Connection, commandId: string): Promise<boolean> => {
    inHand.add(commandId);
    return new Promise<boolean>((resolve, reject) => {
      const task = async (): Promise<boolean> => {
        const command = connection.isOpen ? await begin(connection, commandId) : undefined;
        if (command === undefined) return false;
        // Whoever asked may be at another replica. Those from before traces were kept have none.
        await withRequestId(command.trace_id || newRequestId(), async () => {
          const end = await perform(connection, command);
          const learn = dialectOf(connection.version.subprotocol)?.answers[command.action];
          await patiently(() => finishCommand(db, commandId, end, learn)).catch((err: unknown) => {
            // A command that was answered has ended, whatever we make of the answer.
            log.error({ err, commandId, action: command.action }, "a bug: what an answer says is not kept");
            return patiently(() => finishCommand(db, commandId, end));
          });
        });
        return true;
      };
      const taken = connection.inTurn(() => task().then(resolve, reject));
      if (!taken) dropCommand(db, commandId, BUSY).then(() => resolve(true), reject);
    }).finally(() => inHand.delete(commandId));
  };
  const sendWaiting = async (connection: Connection): Promise<void> => {
    const charger = await chargerById(db, connection.chargerId);
    if (charger?.registration !== "ACCEPTED") return;
    // One after the other: more may wait than there is room for in the line.
    for (const { id } of await queuedCommands(db, connection.chargerId)) {
      if (!inHand.has(id)) await send(connection, id);
    }
  };
  return {
    async run(errand) {
      const connection = registry.get(errand.chargerId);
      if (connection === undefined || (errand.epoch !== undefined && errand.epoch !== connection.epoch)) return false;
      if (errand.kind === "run") return send(connection, errand.commandId);
      connection.close(errand.reason === "SUPERSEDED" ? SUPERSEDED_CODE : 1000, errand.reason);
      return true;
    },
    sendWaiting,
    async sendForgotten(replicaId) {
      for (const chargerId of await chargersWithQueue(db, replicaId)) {
        const connection = registry.get(chargerId);
        if (connection?.isAwake !== true) continue;
        sendWaiting(connection).catch((err: unknown) => log.warn({ err, chargerId }, "waiting commands stay waiting"));
      }
    },
  };
}

/** Does `work`, again and again while the database is away: what a charger has done or will do must not go unsaid. */
async function patiently<T>(work: (isRepeat: boolean) => Promise<T>): Promise<T> {
  for (let isRepeat = false; ; isRepeat = true) {
    try {
      return await work(isRepeat);
    } catch (err) {
      if (withoutDatabase(err) === err) throw err;
      await new Promise((resolve) => setTimeout(resolve, DATABASE_RETRY_MS));
    }
  }
}

const BY_ROTATION = "must not set the password: POST /ocpp/chargers/{id}:rotatePassword sends one, and keeps it secret";

/** Puts commands into the books and has them sent by whichever replica holds the charger. */
export function makeCommander(db: Db, replicas: Replicas, sealed: SealedTexts, clock: Clock, log: Logger): Commander {
  /** Hands a command over to whoever holds the charger. What it answers resolves when the command has ended or waits for its charger. */
  const handOver = async (command: CommandRow, ttlSeconds: number): Promise<{ done: Promise<void> }> => {
    const charger = await chargerById(db, command.charger_id);
    const mayBeAsked = charger !== undefined && dialectOfCharger(charger).questions.mayAsk(charger.registration, command.action);
    const holder = mayBeAsked ? (charger.replica_id ?? undefined) : undefined;
    const errand = { kind: "run", chargerId: command.charger_id, epoch: charger?.epoch, commandId: command.id } as const;
    const run = async (): Promise<void> => {
      const reached = holder !== undefined && (await replicas.ask(holder, errand));
      if (!reached && ttlSeconds === 0) await dropCommand(db, command.id, OFFLINE);
    };
    const fail = async (err: unknown): Promise<void> => {
      log.warn({ err, commandId: command.id }, "a command could not be delivered");
      if (ttlSeconds === 0) await dropCommand(db, command.id, OFFLINE);
    };
    const done = run().catch(fail);
    return { done: done.catch((err: unknown) => log.warn({ err, commandId: command.id }, "a command is left to the sweeper")) };
  };
  /** Asked one after the other, commands reach the charger in that order, however short the wait. */
  const putAndSend = async (request: NewCommand, waitSeconds: number): Promise<CommandRow> => {
    const command = await queueCommand(db, request, clock.now());
    if (command.state !== "QUEUED") return command;
    const { done } = await handOver(command, request.ttlSeconds);
    await within(waitSeconds, done);
    return (await commandById(db, command.charger_id, command.id)) ?? command;
  };
  const existing = async (chargerId: string): Promise<ChargerRow> => {
    const charger = await chargerById(db, chargerId);
    if (charger === undefined) throw noCharger(chargerId);
    return charger;
  };
  return {
    async send({ waitSeconds, ...request }) {
      const charger = await existing(request.chargerId);
      const { version, questions } = dialectOfCharger(charger);
      const unknown = version.checkSender("csms", request.action);
      if (unknown !== undefined) throw badRequest([{ field: "action", description: unknown.description }]);
      const wrong = version.checkRequest(request.action, request.payload);
      if (wrong !== undefined) throw badRequest([payloadViolation(wrong.description)]);
      const field = questions.passwordField(request.action, request.payload);
      if (field !== undefined) throw badRequest([{ field: `payload.${field}`, description: BY_ROTATION }]);
      if (holdsNul(request.payload)) throw badRequest([{ field: "payload", description: "must not hold the character U+0000" }]);
      checkRegistration(charger, request.action, request.ttlSeconds);
      return putAndSend({ ...request, start: questions.startOf(request.action, request.payload) }, waitSeconds);
    },
    async ask({ waitSeconds, question, field, ...request }) {
      const charger = await existing(request.chargerId);
      const { version, questions } = dialectOfCharger(charger);
      const said = questions.say(question);
      if (said === undefined || version.checkRequest(said.action, said.payload) !== undefined) {
        throw badRequest([{ field, description: `is not one that ${version.subprotocol} can carry` }]);
      }
      const { action, payload, secret } = said;
      checkRegistration(charger, action, request.ttlSeconds);
      const sealSecret = secret === undefined ? undefined : (id: string) => sealed.seal(`${id} ${secret}`);
      return putAndSend({ ...request, action, payload, sealSecret, start: questions.startOf(action, payload) }, waitSeconds);
    },
    idTokenLengthMax: async (chargerId) => dialectOfCharger(await existing(chargerId)).questions.idTokenLengthMax,
    disconnect: (chargerId, reason, epoch) => replicas.tellAll({ kind: "disconnect", chargerId, epoch, reason }),
  };
}

function dialectOfCharger({ protocol }: ChargerRow): Dialect {
  return dialectOf(protocol) ?? oldestDialect;
}

/** FAILED_PRECONDITION if a charger may not be asked this before it is accepted, and it is not to wait until then. */
function checkRegistration(charger: ChargerRow, action: string, ttlSeconds: number): void {
  const { id, registration } = charger;
  if (ttlSeconds > 0 || dialectOfCharger(charger).questions.mayAsk(registration, action)) return;
  throw new AppError(
    "failedPrecondition",
    "CHARGER_NOT_ACCEPTED",
    `Charger ${id} is ${registration}: ${action} must wait until it is ACCEPTED.`,
  );
}

/** `.connectorId is required` → field `payload.connectorId`, `is required`. */
function payloadViolation(description: string): { field: string; description: string } {
  const [, path = "", rest = description] = /^(\.\S+|\[\S+) (.*)$/s.exec(description) ?? [];
  return { field: `payload${path}`, description: rest };
}

function within(seconds: number, work: Promise<void>): Promise<void> {
  if (seconds <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    void work.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
