import { isUtf8 } from "node:buffer";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { WebSocket } from "ws";
import { type Entry, recordRefusal } from "../db/connection.ts";
import type { ShownCertificate } from "../db/line.ts";
import type { Db } from "../db/schema.ts";
import type { AfterBoot } from "../domain/after-boot.ts";
import { sendCertificates } from "../domain/certificate-delivery.ts";
import type { Certification } from "../domain/certificate-request.ts";
import { certificateShown } from "../domain/certificate-standing.ts";
import type { Commander } from "../domain/command.ts";
import type { Tolerance } from "../domain/tolerance.ts";
import type { CommandRunner } from "./commands.ts";
import { type Connection, type Ears, openConnection, type Socket } from "./connection.ts";
import { chooseDialect, type Dialect } from "./dialects.ts";
import { answerCall, type Charger } from "./dispatch.ts";
import type { FrameLog } from "./frame-log.ts";
import type { Ownerships } from "./ownership.ts";
import type { Registry } from "./registry.ts";
import type { Replicas } from "./replicas.ts";
import type { Wheel } from "./wheel.ts";

export interface WelcomeOptions {
  /** What a boot is told: how often to send a heartbeat. */
  heartbeatSeconds: number;
  /** What a boot is told that is not accepted: when to boot again. */
  retrySeconds: number;
  /** How often a charger is pinged; one that is silent for as long again is dead. */
  pingSeconds: number;
  /** How long a charger may take to answer a CALL. */
  callSeconds: number;
  /** How many frames a charger may send for long. */
  framesPerSecond: number;
}

export interface WelcomeDeps {
  db: Db;
  clock: Clock;
  wheel: Wheel;
  registry: Registry;
  ownerships: Ownerships;
  runner: CommandRunner;
  commander: Commander;
  afterBoot: AfterBoot;
  certification: Certification;
  replicas: Replicas;
  frameLog: FrameLog;
  tolerance: Tolerance;
}

/**
 * Takes the charger for whoever was let in, then completes the handshake: a charger that sees its connection open holds its identity, so that
 * one that loses it and comes back is always the newer (decision 6). `upgrade` answers undefined if there is nobody any more to answer.
 */
export async function welcome(
  entry: Entry,
  upgrade: () => WebSocket | undefined,
  options: WelcomeOptions,
  deps: WelcomeDeps,
  log: Logger,
): Promise<void> {
  const { chargerId } = entry;
  const dialect = chooseDialect(entry.offeredProtocols);
  if (dialect === undefined) return sendAway(entry, upgrade, deps, log);
  const { subprotocol } = dialect.version;
  const { epoch, previous } = await deps.ownerships.take(entry, subprotocol);
  if (entry.securityProfile === 3 && entry.line.certificate !== undefined) noteShown(entry.line.certificate, deps, log);
  if (previous !== undefined) void deps.replicas.tellAll({ kind: "disconnect", chargerId, epoch: previous.epoch, reason: "SUPERSEDED" });
  const webSocket = upgrade();
  if (webSocket === undefined) return deps.ownerships.release({ chargerId, epoch }, "CONNECTION_LOST");
  const { connection, ears } = begin(toSocket(webSocket), entry, epoch, dialect, options, deps, log);
  deps.registry.add(connection);
  log.info({ chargerId, epoch, protocol: subprotocol }, "a charger has connected");
  listen(webSocket, ears, log.child({ chargerId }));
}

/** It matters to the books only, so nobody waits for it. */
function noteShown({ serialNumber, subject }: ShownCertificate, { db }: WelcomeDeps, log: Logger): void {
  certificateShown(db, serialNumber).catch((err: unknown) => log.warn({ err, subject }, "that a charger has its certificate is not kept"));
}

/** OCPP-J 1.6 §3.3: the handshake is completed without a subprotocol, and the connection closed. Whoever looks then finds the reason. */
async function sendAway(knock: Entry, upgrade: () => WebSocket | undefined, deps: WelcomeDeps, log: Logger): Promise<void> {
  await recordRefusal(deps.db, knock, { reason: "NO_COMMON_SUBPROTOCOL", securityProfile: knock.securityProfile }, deps.clock.now());
  const webSocket = upgrade();
  webSocket?.on("error", (err) => log.info({ err, chargerId: knock.chargerId }, "a connection broke"));
  webSocket?.close(1002, "no common subprotocol");
}

function begin(
  socket: Socket,
  { chargerId, securityProfile }: Entry,
  epoch: number,
  dialect: Dialect,
  options: WelcomeOptions,
  deps: WelcomeDeps,
  log: Logger,
): { connection: Connection; ears: Ears } {
  const { db, clock, certification } = deps;
  const charger: Charger = {
    id: chargerId,
    epoch,
    securityProfile,
    db,
    certification,
    heartbeatSeconds: options.heartbeatSeconds,
    retrySeconds: options.retrySeconds,
    now: () => clock.now(),
  };
  const sendSigned = (): Promise<void> =>
    sendCertificates(deps, clock.now(), chargerId).catch((err: unknown) => log.warn({ err, chargerId }, "a certificate is sent later"));
  const opened = openConnection({
    chargerId,
    epoch,
    version: dialect.version,
    socket,
    wheel: deps.wheel,
    log,
    pingSeconds: options.pingSeconds,
    callSeconds: options.callSeconds,
    framesPerSecond: options.framesPerSecond,
    record: deps.frameLog(chargerId, epoch),
    answer: (call) => answerCall(dialect, charger, deps.tolerance, call, log),
    heard: () => deps.ownerships.heard(chargerId),
    answered(action, wasAwake) {
      // What it gets must not come before it was told that it gets it.
      if (action === "SignCertificate") void sendSigned();
      // A charger that has just booted listens only after its boot is answered; one that goes on where it was says something else first.
      if (wasAwake && action !== "BootNotification") return;
      deps.runner.sendWaiting(opened.connection).catch((err: unknown) => log.warn({ err, chargerId }, "waiting commands stay waiting"));
      if (action === "BootNotification") deps.afterBoot(chargerId);
    },
    ended(reason) {
      deps.registry.remove(opened.connection);
      log.info({ chargerId, epoch, reason }, "a connection has ended");
      void deps.ownerships.release(opened.connection, reason);
    },
  });
  return opened;
}

function toSocket(webSocket: WebSocket): Socket {
  return {
    send: (text) => webSocket.send(text),
    get unsentBytes() {
      return webSocket.bufferedAmount;
    },
    ping: () => webSocket.ping(),
    close: (code, reason) => webSocket.close(code, reason),
    terminate: () => webSocket.terminate(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
  };
}

function listen(webSocket: WebSocket, ears: Ears, log: Logger): void {
  webSocket.on("message", (data: Buffer, isBinary) => {
    // OCPP-J is text; a binary frame is nothing that we could answer.
    if (isBinary) ears.binary(data.length);
    else if (isUtf8(data)) ears.text(data.toString());
    else ears.garbled(data.toString());
  });
  webSocket.on("pong", () => ears.alive());
  webSocket.on("ping", () => ears.alive());
  let fault = "";
  webSocket.on("error", (err) => {
    log.info({ err }, "a connection broke");
    fault = faultOf(err);
  });
  webSocket.on("close", (code) => ears.closed(fault || (code === 1006 ? "CONNECTION_LOST" : "CLOSED_BY_CHARGER")));
}

/** Why a socket had to be closed: what came over it was no WebSocket any more, or too much. Empty if it only broke. */
function faultOf(err: Error): string {
  const code = "code" in err ? String(err.code) : "";
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return "FRAME_TOO_LARGE";
  return code.startsWith("WS_ERR_") ? "INVALID_FRAME" : "";
}
