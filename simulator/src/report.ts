import type { Charger, ChargerEvent, Transaction } from "./state.ts";

/** More than this in a second nobody reads. */
const LINES_PER_SECOND_MAX = 10;

/** Tells what happens to chargers, a short line an event, and leaves out what would be too much. */
export function makeReport(write: (line: string) => void, now: () => number): (charger: Charger, event: ChargerEvent) => void {
  const faulted = new Set<string>();
  let second = 0;
  let lines = 0;
  return (charger, event) => {
    const text = describe(charger, event, faulted);
    if (text === undefined) return;
    const time = now();
    if (Math.floor(time / 1000) !== second) {
      if (lines > LINES_PER_SECOND_MAX) write(`          … and ${lines - LINES_PER_SECOND_MAX} more`);
      second = Math.floor(time / 1000);
      lines = 0;
    }
    lines++;
    if (lines <= LINES_PER_SECOND_MAX) write(`${new Date(time).toISOString().slice(11, 19)}  ${text}`);
  };
}

function describe({ id }: Charger, event: ChargerEvent, faulted: Set<string>): string | undefined {
  switch (event.type) {
    case "booted":
      return line(id, `registered: ${event.status}`);
    case "disconnected":
      return line(id, `lost its connection (${event.code})`);
    case "connected":
      return line(id, "connected");
    case "refused":
      return line(id, `could not connect: ${event.reason}`);
    case "authorized":
      return event.status === "Accepted" ? undefined : line(`${id}/${event.connectorId}`, `id token ${event.idTag}: ${event.status}`);
    case "delivered":
      return describeDelivery(id, event.message);
    case "abandoned":
      return line(id, `gave up a ${event.message.action}`);
    case "status":
      return describeStatus(`${id}/${event.connectorId}`, event, faulted);
    case "command":
      return line(id, `asked to ${event.action}: ${"status" in event.response ? event.response.status : "done"}`);
    case "protocolError":
      return line(id, `heard what is not OCPP: ${event.description}`);
    default:
      return undefined;
  }
}

function describeDelivery(id: string, { action, transaction }: { action: string; transaction: Transaction }): string | undefined {
  const where = `${id}/${transaction.connectorId}`;
  if (action === "StartTransaction") return line(where, `transaction ${transaction.id} began with ${transaction.idTag}`);
  if (action !== "StopTransaction" || transaction.stop === undefined) return undefined;
  const { meterWh, time, reason } = transaction.stop;
  const energy = ((meterWh - transaction.meterStartWh) / 1000).toFixed(1);
  const seconds = Math.round((time - transaction.startTime) / 1000);
  return line(where, `transaction ${transaction.id} ended after ${seconds} s and ${energy} kWh: ${reason}`);
}

function describeStatus(where: string, { errorCode }: { errorCode: string }, faulted: Set<string>): string | undefined {
  if (errorCode !== "NoError") {
    faulted.add(where);
    return line(where, `is broken: ${errorCode}`);
  }
  return faulted.delete(where) ? line(where, "works again") : undefined;
}

function line(where: string, what: string): string {
  return `${where.padEnd(12)}  ${what}`;
}
