import type { Fact } from "../document.ts";
import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { phrase } from "../phrases.ts";
import type { PowerSample } from "../power-chart.ts";

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
  /** Oldest first; none if the charger did not report it. */
  powerCurve: readonly PowerSample[];
}

const texts = {
  en: {
    charger: "Charger",
    connector: "Connector",
    started: "Started",
    stopped: "Stopped",
    duration: "Duration",
    energy: "Energy",
    transaction: "Transaction",
    energyIsUnknown: "The charger's meter readings do not fit together, so the energy is not known.",
    clockIsWrong: "The charger's clock was wrong, so the times may be wrong too.",
    stopIsMissing: "The charger did not report the end of this charge. The figures are those that it reported last.",
  },
  de: {
    charger: "Ladestation",
    connector: "Anschluss",
    started: "Beginn",
    stopped: "Ende",
    duration: "Dauer",
    energy: "Energie",
    transaction: "Vorgang",
    energyIsUnknown: "Die Zählerstände der Ladestation passen nicht zusammen. Deshalb ist die geladene Energie nicht bekannt.",
    clockIsWrong: "Die Uhr der Ladestation ging falsch. Deshalb können auch die Zeiten falsch sein.",
    stopIsMissing: "Die Ladestation hat das Ende dieses Ladevorgangs nicht gemeldet. Die Angaben sind die, die sie zuletzt gemeldet hat.",
  },
};

/** What is known of a charge. */
export function factsOf(charge: Charge, language: Language): Fact[] {
  const text = texts[language];
  const { unknown } = phrase[language];
  const { time, energy, duration } = figures[language];
  const { startTime, stopTime, energyWh, clockIsWrong } = charge;
  const isTimed = startTime !== undefined && stopTime !== undefined && !clockIsWrong && stopTime >= startTime;
  return [
    [text.energy, energyWh === undefined ? unknown : energy(energyWh)],
    [text.duration, isTimed ? duration(stopTime.getTime() - startTime.getTime()) : unknown],
    [text.charger, charge.chargerId],
    [text.connector, String(charge.connectorId)],
    [text.started, startTime === undefined ? unknown : time(startTime)],
    [text.stopped, stopTime === undefined ? unknown : time(stopTime)],
    [text.transaction, charge.transactionId],
  ];
}

/** What its reader must know to trust the facts no more than they deserve. */
export function remarksOn({ energyWh, clockIsWrong, stopIsMissing }: Charge, language: Language): string[] {
  const text = texts[language];
  return [
    energyWh === undefined ? text.energyIsUnknown : undefined,
    clockIsWrong ? text.clockIsWrong : undefined,
    stopIsMissing ? text.stopIsMissing : undefined,
  ].filter((remark) => remark !== undefined);
}

/** A charge of an hour whose power falls when the battery is nearly full. */
export function sampleCharge(): Charge {
  const start = Date.UTC(2026, 10, 3, 17, 5, 9);
  const powers = [7.2, 10.6, 11, 11, 11, 10.9, 11, 11, 10.8, 9.6, 7.9, 6.1, 4.6, 3.4, 2.5, 1.8];
  return {
    transactionId: "4711",
    chargerId: "CP-1",
    connectorId: 2,
    username: "ada",
    startTime: new Date(start),
    stopTime: new Date(start + 3_723_000),
    energyWh: 8_412,
    clockIsWrong: false,
    stopIsMissing: false,
    powerCurve: powers.map((kilowatts, i) => ({ time: new Date(start + (i + 1) * 232_000), powerW: kilowatts * 1000 })),
  };
}
