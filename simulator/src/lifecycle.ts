import { applyAfterRestart, numberOf } from "./configuration.ts";
import { ask, dial, enqueue, hangUp, type Outcome, send } from "./link.ts";
import type { Response } from "./messages.ts";
import { endTransaction } from "./session.ts";
import { type Charger, emit, isOnline } from "./state.ts";
import { partsOf, refresh, reportChanges } from "./status.ts";

export type BootOutcome = Outcome<Response<"BootNotification">>;

/** When to try again if the answer to a BootNotification names no interval, or none came. */
const BOOT_RETRY_SECONDS = 30;
/** How long a soft reset waits until the CSMS has what it must know. */
const DRAIN_MS = 5_000;
const RESTART_MS = 500;

/** Opens the connection, now. */
export function connect(charger: Charger): void {
  charger.nextDial?.();
  charger.nextDial = undefined;
  if (!charger.closed) dial(charger.link, charger.options.url, charger.id, charger.password);
}

/** Closes the connection and opens another, with the password as it is now. */
export function connectAnew(charger: Charger): void {
  hangUp(charger.link, "close");
  connect(charger);
}

/** The connection is open: what has started boots, what is booted goes on where it was. */
export function opened(charger: Charger): void {
  charger.connectTime = charger.time.now();
  emit(charger, { type: "connected" });
  if (charger.registration === "Accepted") goOn(charger);
  else if (charger.options.reconnect !== undefined || charger.restarting) boot(charger);
}

/** The connection is gone, or never was. */
export function disconnected(charger: Charger, wasOpen: boolean): void {
  charger.nextHeartbeat?.();
  charger.nextHeartbeat = undefined;
  charger.nextBoot?.();
  charger.nextBoot = undefined;
  const { reconnect } = charger.options;
  if (reconnect === undefined || charger.closed || charger.heldDown) return;
  if (wasOpen && charger.time.now() - charger.connectTime >= reconnect.maxMs) charger.failures = 0;
  const ms = Math.min(reconnect.maxMs, reconnect.minMs * 2 ** charger.failures);
  charger.failures = Math.min(charger.failures + 1, 30);
  charger.nextDial = charger.time.after(ms * (0.5 + charger.random() / 2), () => connect(charger));
}

/** Cuts the connection, as when the cable to the world is. It stays away until `comeBack`. */
export function goAway(charger: Charger): void {
  charger.heldDown = true;
  charger.nextDial?.();
  hangUp(charger.link, "cut");
}

/** Ends `goAway`: connects again. */
export function comeBack(charger: Charger): void {
  charger.heldDown = false;
  connect(charger);
}

/** Sends a BootNotification, and obeys the answer: Pending and Rejected wait and ask again (OCPP 1.6 section 4.2). */
export function boot(charger: Charger, done?: (outcome: BootOutcome) => void): void {
  charger.nextBoot?.();
  charger.nextBoot = undefined;
  const { firmwareVersion } = charger;
  const { vendor, model } = charger.model;
  const whoami = { chargePointVendor: vendor, chargePointModel: model, firmwareVersion, chargePointSerialNumber: charger.id.slice(0, 25) };
  ask(charger.link, "BootNotification", whoami, (outcome) => {
    if (outcome.kind === "answered") takeRegistration(charger, outcome.response);
    else if (outcome.kind !== "lost") bootLater(charger, BOOT_RETRY_SECONDS);
    done?.(outcome);
  });
}

function takeRegistration(charger: Charger, { status, interval }: Response<"BootNotification">): void {
  const wasAccepted = charger.registration === "Accepted";
  charger.registration = status;
  if (status === "Accepted" && interval > 0) charger.configuration.set("HeartbeatInterval", String(interval));
  emit(charger, { type: "booted", status, interval });
  if (status !== "Accepted") {
    bootLater(charger, interval > 0 ? interval : BOOT_RETRY_SECONDS);
    return;
  }
  charger.restarting = false;
  if (wasAccepted) beatLater(charger);
  else goOn(charger);
}

function bootLater(charger: Charger, seconds: number): void {
  charger.nextBoot = charger.time.after(seconds * 1000, () => boot(charger));
}

function goOn(charger: Charger): void {
  reportChanges(charger);
  beatLater(charger);
  send(charger.link);
}

/** Sets the next heartbeat HeartbeatInterval seconds from now; 0 means none. */
export function beatLater(charger: Charger): void {
  charger.nextHeartbeat?.();
  charger.nextHeartbeat = undefined;
  const seconds = numberOf(charger, "HeartbeatInterval");
  if (seconds === 0 || !isOnline(charger)) return;
  charger.nextHeartbeat = charger.time.after(seconds * 1000, () => {
    if (isOnline(charger)) beat(charger);
    beatLater(charger);
  });
}

/** Sends a Heartbeat. Without an answer the connection is taken for dead, as a half-open one is. */
export function beat(charger: Charger): void {
  enqueue(charger.link, {
    action: "Heartbeat",
    payload: {},
    done: ({ kind }) => {
      if (kind === "late") hangUp(charger.link, "cut");
    },
  });
}

/**
 * Restarts as Reset asks for (OCPP 1.6 section 5.14). Soft: transactions end and the CSMS is told before the connection closes.
 * Hard: it goes first, and the CSMS is told after the restart.
 */
export function restart(charger: Charger, kind: "Soft" | "Hard"): void {
  if (charger.restarting) return;
  charger.restarting = true;
  if (kind === "Hard") {
    hangUp(charger.link, "cut");
    endAll(charger, "HardReset");
    startAgain(charger);
    return;
  }
  endAll(charger, "SoftReset");
  let ready = false;
  const go = (): void => {
    if (ready) return;
    ready = true;
    giveUp();
    hangUp(charger.link, "close");
    startAgain(charger);
  };
  const giveUp = charger.time.after(DRAIN_MS, go);
  whenIdle(charger, go);
}

/** Every transaction ends, and who was awaited is no longer. */
export function endAll(charger: Charger, reason: "SoftReset" | "HardReset" | "PowerLoss"): void {
  for (const connector of charger.connectors) {
    connector.awaited?.giveUp();
    connector.awaited = undefined;
    endTransaction(charger, connector, reason);
    refresh(charger, connector);
  }
}

/** Calls `run` as soon as nothing waits to be sent or answered. */
export function whenIdle(charger: Charger, run: () => void): void {
  const { outstanding, waiting } = charger.link;
  if (outstanding === undefined && waiting.length === 0 && charger.queue.length === 0) {
    run();
    return;
  }
  charger.waiters.push(({ type }) => {
    if (type !== "idle") return false;
    run();
    return true;
  });
}

function startAgain(charger: Charger): void {
  charger.registration = undefined;
  for (const part of partsOf(charger)) part.reported = "";
  applyAfterRestart(charger);
  charger.firmwareVersion = charger.nextFirmwareVersion ?? charger.firmwareVersion;
  charger.nextFirmwareVersion = undefined;
  charger.nextDial?.();
  charger.nextDial = charger.time.after(charger.options.restartMs ?? RESTART_MS, () => connect(charger));
}
