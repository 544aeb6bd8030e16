import { ask } from "./link.ts";
import { powerW } from "./power-curve.ts";
import { type Charger, type Connector, emit, isOnline, type Part, type Status } from "./state.ts";

/** Works out the status of a part anew, and reports it if it has changed and can be reported. */
export function refresh(charger: Charger, part: Part): void {
  const before = keyOf(part);
  part.status = statusOf(part);
  if (keyOf(part) === before) return;
  emit(charger, { type: "status", connectorId: part.id, status: part.status, errorCode: part.errorCode });
  if (isOnline(charger)) report(charger, part);
}

/** Tells the CSMS the status of a part, whether or not it knows. */
export function report(charger: Charger, part: Part): void {
  const { id, errorCode, status } = part;
  part.reported = keyOf(part);
  const timestamp = new Date(charger.time.now()).toISOString();
  ask(charger.link, "StatusNotification", { connectorId: id, errorCode, status, timestamp }, (outcome) => {
    if (outcome.kind === "lost") part.reported = "";
  });
}

/** Tells what the CSMS has missed. Only the last status of each part is worth telling (OCPP 1.6 section 4.9). */
export function reportChanges(charger: Charger): void {
  for (const part of partsOf(charger)) if (part.reported !== keyOf(part)) report(charger, part);
}

export function partsOf({ whole, connectors }: Charger): readonly Part[] {
  return [whole, ...connectors];
}

/** The charger as a whole is 0. */
export function partOf({ whole, connectors }: Charger, id: number): Part | undefined {
  return id === 0 ? whole : connectors[id - 1];
}

function keyOf({ status, errorCode }: Part): string {
  return `${status} ${errorCode}`;
}

function statusOf(part: Part): Status {
  if (part.errorCode !== "NoError") return "Faulted";
  if (!part.operative) return "Unavailable";
  return isConnector(part) ? statusOfConnector(part) : "Available";
}

function statusOfConnector({ transaction, draw, vehicle, finished, awaited, reservation }: Connector): Status {
  if (transaction !== undefined) {
    if (draw === undefined || draw.allowedW <= 0) return "SuspendedEVSE";
    return powerW(draw) === 0 ? "SuspendedEV" : "Charging";
  }
  if (finished) return "Finishing";
  if (vehicle !== undefined || awaited !== undefined) return "Preparing";
  return reservation === undefined ? "Available" : "Reserved";
}

function isConnector(part: Part): part is Connector {
  return "outlet" in part;
}
