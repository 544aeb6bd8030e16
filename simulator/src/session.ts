import { forgetTransactionProfiles, limitDraw, takeNextProfile } from "./charging-profiles.ts";
import { isOn, numberOf } from "./configuration.ts";
import { deliver } from "./deliveries.ts";
import { ask } from "./link.ts";
import { listed } from "./local-list.ts";
import { endDraw, meterValue, readMeter, registerWh } from "./meter.ts";
import { vehicleModels } from "./models.ts";
import { beginDraw, powerW, type Vehicle } from "./power-curve.ts";
import { between, pick } from "./random.ts";
import { endReservation, mayUse } from "./reservations.ts";
import { type Charger, type Connector, type ErrorCode, emit, isOnline, type Part, type StopReason, type Transaction } from "./state.ts";
import { refresh } from "./status.ts";

/** Is told the transaction once it has begun and the CSMS was asked about it, or that there is none. */
export type Begun = (transaction: Transaction | undefined) => void;

/** How often to look whether the vehicle is full where MeterValueSampleInterval is 0, in seconds. */
const LOOK_SECONDS = 60;

/** A vehicle as it comes along: some model, some way down. */
export function someVehicle({ random }: Charger): Vehicle {
  return { model: pick(random, vehicleModels), charge: between(random, 0.1, 0.6), limit: pick(random, [0.8, 0.9, 1]) };
}

/** Whether a transaction may begin here: nothing is wrong with it and nobody else has it. */
export function isFree({ errorCode, operative, transaction, awaited }: Connector): boolean {
  return errorCode === "NoError" && operative && transaction === undefined && awaited === undefined;
}

/** A cable is plugged in. Whoever was awaited here begins to charge. */
export function plugIn(charger: Charger, connector: Connector, vehicle: Vehicle): void {
  if (connector.vehicle !== undefined) return;
  connector.vehicle = vehicle;
  const { awaited } = connector;
  if (awaited === undefined) refresh(charger, connector);
  else beginTransaction(charger, connector, vehicle, awaited.idTag);
}

/** The cable is pulled, which ends the transaction (StopTransactionOnEVSideDisconnect). */
export function unplug(charger: Charger, connector: Connector): void {
  if (connector.transaction !== undefined) endTransaction(charger, connector, "EVDisconnected");
  connector.vehicle = undefined;
  connector.finished = false;
  refresh(charger, connector);
}

/**
 * A driver presents an id token. What the local list says of it counts offline (LocalAuthorizeOffline), and online if it may charge
 * (LocalPreAuthorize); of others AllowOfflineTxForUnknownId decides offline (OCPP 1.6 sections 3.5 and 4.1.1).
 */
export function presentToken(charger: Charger, connector: Connector, idTag: string, begun: Begun): void {
  const known = (status: string, parentIdTag?: string): void => {
    emit(charger, { type: "authorized", connectorId: connector.id, idTag, status });
    if (status === "Accepted" && isFree(connector) && mayUse(connector, idTag, parentIdTag)) admit(charger, connector, idTag, begun);
    else begun(undefined);
  };
  const entry = listed(charger, idTag);
  const offline = (): void => {
    if (entry !== undefined && isOn(charger, "LocalAuthorizeOffline")) known(entry.status, entry.parentIdTag);
    else known(isOn(charger, "AllowOfflineTxForUnknownId") ? "Accepted" : "Offline");
  };
  if (!isFree(connector)) begun(undefined);
  else if (!isOnline(charger)) offline();
  else if (entry?.status === "Accepted" && isOn(charger, "LocalPreAuthorize")) known(entry.status, entry.parentIdTag);
  else {
    ask(charger.link, "Authorize", { idTag }, (outcome) => {
      if (outcome.kind === "answered") known(outcome.response.idTagInfo.status, outcome.response.idTagInfo.parentIdTag);
      else if (outcome.kind !== "lost") known(outcome.kind);
      // The connection goes first when the charger is switched off or restarts.
      else if (charger.closed || charger.restarting) begun(undefined);
      else offline();
    });
  }
}

/** Charging with this id token is settled: it begins, or waits ConnectionTimeOut seconds for the vehicle. */
export function admit(charger: Charger, connector: Connector, idTag: string, begun?: Begun): void {
  const { vehicle } = connector;
  if (vehicle !== undefined) {
    beginTransaction(charger, connector, vehicle, idTag, begun);
    return;
  }
  const giveUp = charger.time.after(numberOf(charger, "ConnectionTimeOut") * 1000, () => {
    connector.awaited = undefined;
    connector.nextProfile = undefined;
    refresh(charger, connector);
  });
  connector.awaited = { idTag, giveUp };
  refresh(charger, connector);
  begun?.(undefined);
}

function beginTransaction(charger: Charger, connector: Connector, vehicle: Vehicle, idTag: string, begun?: Begun): void {
  const { outlet, id: connectorId } = connector;
  const startTime = charger.time.now();
  const meterStart = registerWh(connector);
  const reservationId = endReservation(connector);
  const kept = reservationId === undefined ? {} : { reservationId };
  const start = { connectorId, idTag, meterStart, timestamp: new Date(startTime).toISOString(), ...kept };
  const transaction: Transaction = {
    connectorId,
    idTag,
    meterStartWh: meterStart,
    startTime,
    id: undefined,
    idTagStatus: undefined,
    stop: undefined,
  };
  connector.awaited?.giveUp();
  connector.awaited = undefined;
  connector.finished = false;
  connector.transaction = transaction;
  connector.draw = beginDraw(outlet, vehicle);
  takeNextProfile(charger, connector);
  emit(charger, { type: "started", transaction });
  // It may be settled more than once: lost with a connection, then answered over the next.
  let waiting = begun;
  const settled = (): void => {
    if (connector.transaction === transaction) checkToken(charger, connector, transaction);
    waiting?.(transaction);
    waiting = undefined;
  };
  deliver(charger, { action: "StartTransaction", payload: start, transaction, attempts: 0, settled });
  refresh(charger, connector);
  sendMeterValues(charger, connector, "Transaction.Begin");
  sampleLater(charger, connector);
  if (!isOnline(charger)) settled();
}

/** The CSMS may refuse the token only when it is told of the start (OCPP 1.6 section 4.8). */
function checkToken(charger: Charger, connector: Connector, { idTagStatus }: Transaction): void {
  if (idTagStatus === undefined || idTagStatus === "Accepted") return;
  if (isOn(charger, "StopTransactionOnInvalidId")) {
    endTransaction(charger, connector, "DeAuthorized");
    return;
  }
  readMeter(charger, connector);
  endDraw(connector);
  refresh(charger, connector);
}

/** The transaction of a connector ends. Does nothing if there is none. */
export function endTransaction(charger: Charger, connector: Connector, reason: StopReason, idTag?: string): void {
  const { transaction } = connector;
  if (transaction === undefined) return;
  readMeter(charger, connector);
  endDraw(connector);
  connector.nextSample?.();
  connector.nextSample = undefined;
  const time = charger.time.now();
  const meterStop = registerWh(connector);
  const end = meterValue(charger, connector, "Transaction.End", "StopTxnSampledData");
  transaction.stop = { reason, meterWh: meterStop, time };
  connector.transaction = undefined;
  forgetTransactionProfiles(charger, connector);
  connector.finished = true;
  if (connector.operativeNext !== undefined) connector.operative = connector.operativeNext;
  connector.operativeNext = undefined;
  const payload = { transactionId: 0, meterStop, timestamp: new Date(time).toISOString(), reason, idTag };
  deliver(charger, {
    action: "StopTransaction",
    payload: end === undefined ? payload : { ...payload, transactionData: [end] },
    transaction,
    attempts: 0,
  });
  refresh(charger, connector);
  // Last, so that a listener may do something to the connector at once.
  emit(charger, { type: "stopped", transaction });
}

/** Something breaks: what charges there ends. Part 0 is the whole charger. */
export function fault(charger: Charger, part: Part, errorCode: ErrorCode): void {
  for (const connector of charger.connectors) if (part.id === 0 || part === connector) endTransaction(charger, connector, "Other");
  part.errorCode = errorCode;
  refresh(charger, part);
}

/** It works again. */
export function recover(charger: Charger, part: Part): void {
  part.errorCode = "NoError";
  refresh(charger, part);
}

/** Sends what the meter of a connector shows. Within a transaction the message is as precious as its start and stop. */
export function sendMeterValues(
  charger: Charger,
  connector: Connector,
  context: "Transaction.Begin" | "Sample.Periodic" | "Trigger",
): void {
  readMeter(charger, connector);
  const value = meterValue(charger, connector, context, "MeterValuesSampledData");
  if (value === undefined) return;
  const { transaction } = connector;
  const payload = { connectorId: connector.id, meterValue: [value] };
  if (transaction === undefined) ask(charger.link, "MeterValues", payload, () => {});
  else deliver(charger, { action: "MeterValues", payload, transaction, attempts: 0 });
}

/** Makes a new MeterValueSampleInterval count from now. */
export function sampleAnew(charger: Charger): void {
  for (const connector of charger.connectors) {
    if (connector.nextSample === undefined) continue;
    connector.nextSample();
    sampleLater(charger, connector);
  }
}

function sampleLater(charger: Charger, connector: Connector): void {
  const interval = numberOf(charger, "MeterValueSampleInterval");
  connector.nextSample = charger.time.after((interval || LOOK_SECONDS) * 1000, () => {
    if (interval > 0) sendMeterValues(charger, connector, "Sample.Periodic");
    else readMeter(charger, connector);
    limitDraw(charger, connector);
    refresh(charger, connector);
    sampleLater(charger, connector);
  });
}

/** Whether the vehicle that charges here has had enough. */
export function isFull(charger: Charger, connector: Connector): boolean {
  readMeter(charger, connector);
  return connector.draw !== undefined && powerW(connector.draw) === 0;
}
