import type { Certificates } from "./certificates.ts";
import type { Installed, Profile } from "./charging-profiles.ts";
import type { Firmware } from "./firmware.ts";
import type { Link } from "./link.ts";
import type { LocalList } from "./local-list.ts";
import type { Request, Response } from "./messages.ts";
import type { ChargerModel } from "./models.ts";
import type { Draw, Outlet, Vehicle } from "./power-curve.ts";
import type { Random } from "./random.ts";
import type { Reservation } from "./reservations.ts";
import type { Cancel, Time } from "./time.ts";
import type { Uploads } from "./uploads.ts";

export type Status = Request<"StatusNotification">["status"];
export type ErrorCode = Request<"StatusNotification">["errorCode"];
export type StopReason = NonNullable<Request<"StopTransaction">["reason"]>;
export type Registration = Response<"BootNotification">["status"];

/**
 * How long to wait before another try to connect: doubled from `minMs` to `maxMs`, each time with half of it left to chance. It begins
 * anew after a connection that lasted for `maxMs`, so that one who is thrown out at once does not come back at once for ever.
 */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface ChargerOptions {
  /** Where the CSMS takes chargers, without the identity: `ws://127.0.0.1:3003`, `ws://127.0.0.1:3000/ocpp/ws`. */
  readonly url: string;
  /** The OCPP identity. */
  readonly id: string;
  /** What it shows as its password at first, as a text; without one it shows none. */
  readonly password?: string | undefined;
  /** By default a wallbox with one connector. */
  readonly model?: ChargerModel;
  /** Decides everything that is left to chance. By default the identity. */
  readonly seed?: string;
  readonly time?: Time;
  /** How many times faster than its clock vehicles charge. The clock itself and the intervals of OCPP stay as they are. */
  readonly speed?: number;
  /** Values of configuration keys that differ from what such a charger is delivered with. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Connects again by itself when the connection was lost or refused, and boots by itself. Without it, the caller does both. */
  readonly reconnect?: Backoff;
  /** Whether somebody plugs a vehicle in at once when the CSMS starts a transaction on a free connector; by default yes. */
  readonly plugsInOnRemoteStart?: boolean;
  /** How long a restart takes, in ms; by default 500. */
  readonly restartMs?: number;
  /** How long an answer may take, in ms; by default 30,000. */
  readonly answerMs?: number;
  /** Is told everything that happens, at once. It must not throw. */
  readonly onEvent?: (charger: Charger, event: ChargerEvent) => void;
}

/** The charger as a whole (number 0 of OCPP 1.6) or one of its connectors. */
export interface Part {
  readonly id: number;
  /** NoError unless it is faulted. */
  errorCode: ErrorCode;
  /** As ChangeAvailability left it. */
  operative: boolean;
  /** What it becomes when its transaction ends, if a change is scheduled. */
  operativeNext: boolean | undefined;
  status: Status;
  /** What the CSMS was told last, and has not lost: "Charging NoError". */
  reported: string;
}

export interface Connector extends Part {
  readonly outlet: Outlet;
  /** What is plugged in. */
  vehicle: Vehicle | undefined;
  /** The energy meter, in Wh, when the draw began. */
  meterWh: number;
  draw: Draw | undefined;
  transaction: Transaction | undefined;
  /** Whether the vehicle that is plugged in has had its transaction. */
  finished: boolean;
  /** Whose vehicle is awaited, after a RemoteStartTransaction or an Authorize. */
  awaited: { readonly idTag: string; readonly giveUp: Cancel } | undefined;
  /** What the transaction that a RemoteStartTransaction leads to may draw. */
  nextProfile: Profile | undefined;
  /** For whom it is kept. */
  reservation: Reservation | undefined;
  /** Calls off the next look at the meter. */
  nextSample: Cancel | undefined;
}

export interface Transaction {
  readonly connectorId: number;
  readonly idTag: string;
  readonly meterStartWh: number;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  /** Undefined until StartTransaction is answered, and for good if that was given up. */
  id: number | undefined;
  /** What the CSMS said to the id token when it was told of the start. */
  idTagStatus: Response<"StartTransaction">["idTagInfo"]["status"] | undefined;
  stop: { readonly reason: StopReason; readonly meterWh: number; readonly time: number } | undefined;
}

/** A message of a transaction that waits for its answer. The payload is kept as it is until then, for repeats. */
export type TransactionMessage = { readonly transaction: Transaction; attempts: number; settled?: () => void } & (
  | { readonly action: "StartTransaction"; readonly payload: Request<"StartTransaction"> }
  | { readonly action: "MeterValues"; readonly payload: Request<"MeterValues"> }
  | { readonly action: "StopTransaction"; readonly payload: Request<"StopTransaction"> }
);

/** Everything a charger is, apart from what it does. */
export interface Charger {
  readonly id: string;
  readonly options: ChargerOptions;
  readonly model: ChargerModel;
  readonly time: Time;
  readonly speed: number;
  readonly random: Random;
  readonly link: Link;
  readonly whole: Part;
  readonly connectors: readonly Connector[];
  /** Configuration keys whose value was changed. */
  readonly configuration: Map<string, string>;
  /** The same, for those that a restart will make true. */
  readonly afterRestart: Map<string, string>;
  /** Messages of transactions in the order in which they came to be, of which the first may be on its way. */
  readonly queue: TransactionMessage[];
  /** Whether the first of them waits for its next try. */
  nextTry: Cancel | undefined;
  readonly localList: LocalList;
  readonly certificates: Certificates;
  profiles: readonly Installed[];
  readonly uploads: Uploads;
  readonly firmware: Firmware;
  /** What it runs, and what it will run after the next restart. */
  firmwareVersion: string;
  nextFirmwareVersion: string | undefined;
  /** Lines of the security log. */
  readonly securityLog: string[];
  /** For HTTP Basic authentication: any bytes. */
  password: Buffer | undefined;
  /** What BootNotification was answered last; undefined since the last start. */
  registration: Registration | undefined;
  nextHeartbeat: Cancel | undefined;
  nextBoot: Cancel | undefined;
  nextDial: Cancel | undefined;
  /** When its connection was opened last, in ms since 1970. */
  connectTime: number;
  /** How often in a row a connection failed or was soon lost. */
  failures: number;
  /** Whether a Reset is under way, up to the accepted BootNotification after it. */
  restarting: boolean;
  /** Whether its connection was cut on purpose and is to stay so for now. */
  heldDown: boolean;
  /** Whether it was switched off for good. */
  closed: boolean;
  readonly waiters: Waiter[];
}

/** Answers whether this was the event that it waits for. */
export type Waiter = (event: ChargerEvent) => boolean;

/** What happens to a charger. */
export type ChargerEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly code: number; readonly reason: string }
  /** The handshake failed; `status` is that of HTTP, if it came so far. */
  | { readonly type: "refused"; readonly status: number | undefined; readonly reason: string }
  | { readonly type: "booted"; readonly status: Registration; readonly interval: number }
  | { readonly type: "status"; readonly connectorId: number; readonly status: Status; readonly errorCode: ErrorCode }
  | { readonly type: "authorized"; readonly connectorId: number; readonly idTag: string; readonly status: string }
  | { readonly type: "started"; readonly transaction: Transaction }
  | { readonly type: "stopped"; readonly transaction: Transaction }
  /** A message of a transaction was answered. */
  | { readonly type: "delivered"; readonly message: TransactionMessage; readonly response: object }
  /** A message of a transaction was given up after TransactionMessageAttempts. */
  | { readonly type: "abandoned"; readonly message: TransactionMessage }
  /** The CSMS asked for something. */
  | { readonly type: "command"; readonly action: string; readonly request: object; readonly response: object }
  /** The CSMS broke OCPP. */
  | { readonly type: "protocolError"; readonly description: string }
  /** Nothing waits to be sent or answered. */
  | { readonly type: "idle" };

export type EventOf<T extends ChargerEvent["type"]> = Extract<ChargerEvent, { type: T }>;

/** Tells whoever listens. */
export function emit(charger: Charger, event: ChargerEvent): void {
  charger.options.onEvent?.(charger, event);
  tellWaiters(charger, event);
}

/**
 * Tells those who wait, and nobody else. Who waits again when told waits for the next one. What one of them makes happen is told to all
 * others at once, also to those whose turn has not come.
 */
export function tellWaiters({ waiters }: Charger, event: ChargerEvent): void {
  for (const waiter of [...waiters]) {
    const at = waiters.indexOf(waiter);
    if (at === -1) continue;
    waiters.splice(at, 1);
    if (!waiter(event)) waiters.push(waiter);
  }
}

/** The connector with this number, if there is one. */
export function connectorOf(charger: Charger, id: number): Connector | undefined {
  return charger.connectors[id - 1];
}

/** Whether it may send what it likes: connected, and its BootNotification accepted (OCPP 1.6 section 4.2). */
export function isOnline(charger: Charger): boolean {
  return charger.registration === "Accepted" && charger.link.isOpen;
}
