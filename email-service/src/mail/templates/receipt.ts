import type { Document, Fact } from "../document.ts";

/** A charge that has ended, as far as it is known. */
export interface Charge {
  transactionId: string;
  chargerId: string;
  connectorId: number;
  username: string;
  startTime: Date | undefined;
  stopTime: Date | undefined;
  /** In Wh. */
  energyWh: number | undefined;
  /** The charger's clock was wrong, and so are the times. */
  clockIsWrong: boolean;
  /** The charger never said that it ended: the stop is that of its last sign. */
  stopIsMissing: boolean;
}

const UNKNOWN = "unknown";

/** For the one who charged, once the charge has ended. */
export function receipt(charge: Charge): Document {
  const energy = charge.energyWh === undefined ? UNKNOWN : kilowattHours(charge.energyWh);
  const facts: Fact[] = [
    ["Charger", charge.chargerId],
    ["Connector", String(charge.connectorId)],
    ["Started", time(charge.startTime)],
    ["Stopped", time(charge.stopTime)],
    ["Duration", duration(charge)],
    ["Energy", energy],
    ["Transaction", charge.transactionId],
  ];
  return {
    subject: `Your charge at ${charge.chargerId}: ${charge.energyWh === undefined ? "receipt" : energy}`,
    blocks: [`Hello ${charge.username},`, "this is the receipt of your charge.", facts, ...remarks(charge)],
  };
}

function remarks(charge: Charge): string[] {
  return [
    charge.energyWh === undefined ? "The charger's meter readings do not fit together, so the energy is not known." : undefined,
    charge.clockIsWrong ? "The charger's clock was wrong, so the times may be wrong too." : undefined,
    charge.stopIsMissing ? "The charger did not report the end of this charge. The figures are those that it reported last." : undefined,
  ].filter((remark) => remark !== undefined);
}

/** From the meter's Wh, to the watt-hour. */
function kilowattHours(wattHours: number): string {
  return `${(Math.round(wattHours) / 1000).toFixed(3)} kWh`;
}

/** 2026-11-03 17:05:09 UTC */
function time(date: Date | undefined): string {
  return date === undefined ? UNKNOWN : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** 1 h 2 min 3 s, without the zeros in front. */
function duration({ startTime, stopTime, clockIsWrong }: Charge): string {
  if (startTime === undefined || stopTime === undefined || clockIsWrong) return UNKNOWN;
  const seconds = Math.round((stopTime.getTime() - startTime.getTime()) / 1000);
  const parts = [`${Math.floor(seconds / 3600)} h`, `${Math.floor(seconds / 60) % 60} min`, `${seconds % 60} s`];
  const first = parts.findIndex((part) => !part.startsWith("0"));
  return parts.slice(first === -1 ? 2 : first).join(" ");
}
