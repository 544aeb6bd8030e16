import { noCertificates } from "./certificates.ts";
import { receive } from "./commands.ts";
import { nextDelivery } from "./deliveries.ts";
import { noFirmware } from "./firmware.ts";
import { type BootOutcome, boot, comeBack, disconnected, goAway, opened, whenIdle } from "./lifecycle.ts";
import { hangUp, type LinkHolder, makeLink } from "./link.ts";
import { noLocalList } from "./local-list.ts";
import { chargerModels } from "./models.ts";
import type { Outlet, Vehicle } from "./power-curve.ts";
import { seededRandom } from "./random.ts";
import { endTransaction, fault, plugIn, presentToken, recover, someVehicle, unplug } from "./session.ts";
import {
  type Charger,
  type ChargerEvent,
  type ChargerOptions,
  type Connector,
  connectorOf,
  type ErrorCode,
  type EventOf,
  emit,
  type Part,
  type StopReason,
  type Transaction,
  tellWaiters,
} from "./state.ts";
import { partOf } from "./status.ts";
import { systemTime } from "./time.ts";
import { callOff } from "./transfers.ts";
import { noUploads } from "./uploads.ts";

export type { Charger, ChargerEvent, ChargerOptions, Connector, Transaction } from "./state.ts";

const ANSWER_MS = 30_000;
const IDLE: ChargerEvent = { type: "idle" };
/** Meters have counted for a while before: up to this, in Wh. */
const METER_WH_MAX = 9_000_000;

/** A simulated charger of OCPP 1.6-J with everything that a tester does to one. Connectors are counted from 1; RangeError if there is no such one. */
export interface SimulatedCharger {
  /** What it is at this moment, to be read. */
  readonly state: Charger;
  /** Sends a BootNotification and answers what became of it. Pending and Rejected are tried again in the background. */
  boot(): Promise<BootOutcome>;
  /**
   * Plugs a vehicle in (some vehicle, if none is given) and presents an id token, if one is given. Answers the transaction that began, once
   * StartTransaction was answered or there is no connection; undefined if none began.
   */
  plugIn(connectorId: number, with_?: { idTag?: string; vehicle?: Vehicle }): Promise<Transaction | undefined>;
  /** Ends the transaction at the charger. */
  stop(connectorId: number, reason?: StopReason, idTag?: string): void;
  unplug(connectorId: number): void;
  /** Connector 0 is the charger as a whole. */
  fault(connectorId: number, errorCode: ErrorCode): void;
  recover(connectorId: number): void;
  /** Cuts the connection without a closing handshake. It stays away until `reconnect`. */
  drop(): void;
  /** Connects again. A charger that is booted then tells what was missed. Throws if it is refused. */
  reconnect(): Promise<void>;
  /** The next event of this type, if given one that `matches`. */
  next<T extends ChargerEvent["type"]>(type: T, matches?: (event: EventOf<T>) => boolean): Promise<EventOf<T>>;
  /** Waits until nothing is left to be sent or answered. */
  idle(): Promise<void>;
  /** Switches it off: nothing more is sent. */
  close(): Promise<void>;
}

/** Makes a charger that is switched off. */
export function makeCharger(options: ChargerOptions): Charger {
  const model = options.model ?? chargerModels.wallbox;
  const random = seededRandom(options.seed ?? options.id);
  const holder: LinkHolder = {
    time: options.time ?? systemTime,
    answerMs: options.answerMs ?? ANSWER_MS,
    next: () => nextDelivery(charger),
    opened: () => opened(charger),
    closed: (code, reason) => {
      emit(charger, { type: "disconnected", code, reason });
      disconnected(charger, true);
    },
    refused: (status, reason) => {
      emit(charger, { type: "refused", status, reason });
      disconnected(charger, false);
    },
    received: (call) => receive(charger, call),
    protocolError: (description) => emit(charger, { type: "protocolError", description }),
    idle: () => {
      if (charger.queue.length === 0) tellWaiters(charger, IDLE);
    },
  };
  const charger: Charger = {
    id: options.id,
    options,
    model,
    time: holder.time,
    speed: options.speed ?? 1,
    random,
    link: makeLink(holder),
    whole: makePart(0),
    connectors: model.outlets.map((outlet, i) => makeConnector(i + 1, outlet, Math.floor(random() * METER_WH_MAX))),
    configuration: new Map(),
    afterRestart: new Map(),
    queue: [],
    nextTry: undefined,
    localList: noLocalList(),
    certificates: noCertificates(),
    profiles: [],
    uploads: noUploads(),
    firmware: noFirmware(),
    firmwareVersion: model.firmwareVersion,
    nextFirmwareVersion: undefined,
    securityLog: [],
    password: options.password === undefined ? undefined : Buffer.from(options.password),
    registration: undefined,
    nextHeartbeat: undefined,
    nextBoot: undefined,
    nextDial: undefined,
    connectTime: 0,
    failures: 0,
    restarting: false,
    heldDown: false,
    closed: false,
    waiters: [],
  };
  return charger;
}

/** Makes a charger and connects it. Throws if it is refused. It does not boot yet, unless it connects again by itself. */
export async function connectCharger(options: ChargerOptions): Promise<SimulatedCharger> {
  const charger = makeCharger(options);
  const handle = handleOf(charger);
  await handle.reconnect();
  return handle;
}

/** Switches a charger off: nothing more is sent. Answers when its socket is closed. */
export async function switchOff(charger: Charger): Promise<void> {
  charger.closed = true;
  for (const cancel of [charger.nextTry, charger.nextHeartbeat, charger.nextBoot, charger.nextDial]) cancel?.();
  for (const one of [charger.uploads.diagnostics.transfer, charger.uploads.log.transfer, charger.firmware.transfer]) callOff(one);
  for (const { nextSample, awaited, reservation } of charger.connectors) {
    nextSample?.();
    awaited?.giveUp();
    reservation?.giveUp();
  }
  const socket = hangUp(charger.link, "close");
  // Not `once` of node:events, which would throw the error of a handshake that is called off.
  if (socket !== undefined && socket.readyState !== socket.CLOSED) await new Promise((resolve) => socket.once("close", resolve));
}

function handleOf(charger: Charger): SimulatedCharger {
  const connector = (id: number): Connector => found(connectorOf(charger, id), charger, id);
  const part = (id: number): Part => found(partOf(charger, id), charger, id);
  return {
    state: charger,
    boot: () => new Promise((resolve) => boot(charger, resolve)),
    plugIn(id, { idTag, vehicle } = {}) {
      const at = connector(id);
      plugIn(charger, at, vehicle ?? someVehicle(charger));
      if (idTag === undefined) return Promise.resolve(at.transaction);
      return new Promise((resolve) => presentToken(charger, at, idTag, resolve));
    },
    stop: (id, reason = "Local", idTag = undefined) => endTransaction(charger, connector(id), reason, idTag),
    unplug: (id) => unplug(charger, connector(id)),
    fault: (id, errorCode) => fault(charger, part(id), errorCode),
    recover: (id) => recover(charger, part(id)),
    drop: () => goAway(charger),
    async reconnect() {
      if (charger.link.isOpen) return;
      const end = nextEvent(charger, (event) => (event.type === "connected" || event.type === "refused" ? event : undefined));
      comeBack(charger);
      const event = await end;
      if (event.type === "refused") throw new Error(`${charger.id} was refused: ${event.reason}`);
    },
    next: (type, matches) => nextEvent(charger, (event) => (isOf(event, type) && matches?.(event) !== false ? event : undefined)),
    idle: () => new Promise((resolve) => whenIdle(charger, resolve)),
    close: () => switchOff(charger),
  };
}

function nextEvent<E>(charger: Charger, select: (event: ChargerEvent) => E | undefined): Promise<E> {
  return new Promise((resolve) => {
    charger.waiters.push((event) => {
      const selected = select(event);
      if (selected !== undefined) resolve(selected);
      return selected !== undefined;
    });
  });
}

function isOf<T extends ChargerEvent["type"]>(event: ChargerEvent, type: T): event is EventOf<T> {
  return event.type === type;
}

function found<T>(item: T | undefined, { id }: Charger, number: number): T {
  if (item === undefined) throw new RangeError(`${id} has no connector ${number}`);
  return item;
}

function makePart(id: number): Part {
  return { id, errorCode: "NoError", operative: true, operativeNext: undefined, status: "Available", reported: "" };
}

function makeConnector(id: number, outlet: Outlet, meterWh: number): Connector {
  return {
    ...makePart(id),
    outlet,
    vehicle: undefined,
    meterWh,
    draw: undefined,
    transaction: undefined,
    finished: false,
    awaited: undefined,
    nextProfile: undefined,
    reservation: undefined,
    nextSample: undefined,
  };
}
