import type { Fact } from "../document.ts";
import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { type Course, type DigestWords, digest } from "./digest.ts";
import { defineTemplate } from "./template.ts";

/** A charger that reported faults, perhaps again and again, and whether all are over. */
export interface FaultedCharger extends Course {
  /** Those with the faults; 0 is the charger as a whole. */
  connectorIds: readonly number[];
  /** In the charger's own words, each once: "GroundFailure". */
  errorCodes: readonly string[];
}

/** What an operator is told of all at once. */
export interface FaultedChargers {
  username: string;
  chargers: readonly FaultedCharger[];
}

const texts: Record<Language, DigestWords & { connectors: string; whole: string; errorCodes: string }> = {
  en: {
    one: { subject: (charger) => `Charger ${charger} reports a fault`, what: "A charger has reported a fault." },
    several: {
      subject: (chargers) => `${chargers} chargers report faults`,
      what: (chargers) => `${chargers} chargers have reported faults.`,
    },
    connectors: "Connector",
    whole: "the whole charger",
    errorCodes: "Error code",
    first: "First fault",
    last: "Last fault",
    count: "How often",
    now: "Now",
    isBack: "works again",
    isNotBack: "faulty",
    advice: "A faulty connector charges nobody. What the charger said exactly is among its messages.",
    why: "You get this mail because you run chargers. Several faults in a short time come in one mail.",
  },
  de: {
    one: { subject: (charger) => `Ladestation ${charger} meldet eine Störung`, what: "Eine Ladestation hat eine Störung gemeldet." },
    several: {
      subject: (chargers) => `${chargers} Ladestationen melden Störungen`,
      what: (chargers) => `${chargers} Ladestationen haben Störungen gemeldet.`,
    },
    connectors: "Anschluss",
    whole: "die ganze Ladestation",
    errorCodes: "Fehlercode",
    first: "Erste Störung",
    last: "Letzte Störung",
    count: "Wie oft",
    now: "Jetzt",
    isBack: "wieder in Ordnung",
    isNotBack: "gestört",
    advice: "An einem gestörten Anschluss kann niemand laden. Was die Ladestation genau gesagt hat, steht unter ihren Nachrichten.",
    why: "Sie bekommen diese E-Mail, weil Sie Ladestationen betreiben. Mehrere Störungen in kurzer Zeit fassen wir in einer E-Mail zusammen.",
  },
};

function factsOf({ connectorIds, errorCodes }: FaultedCharger, language: Language): Fact[] {
  const { connectors, whole, errorCodes: label } = texts[language];
  const { list } = figures[language];
  return [
    ...(connectorIds.length === 0 ? [] : [[connectors, list(connectorIds.map((id) => (id === 0 ? whole : String(id))))] as const]),
    ...(errorCodes.length === 0 ? [] : [[label, list(errorCodes)] as const]),
  ];
}

export const chargerFaulted = defineTemplate<FaultedChargers>({
  id: "charger-faulted",
  category: "OPERATION",
  description: "To operators, of all chargers that reported faults since the last such mail.",
  write: (data, language) => digest(data, texts[language], (charger) => factsOf(charger, language), language),
  sample: () => ({
    username: "ada",
    chargers: [
      {
        chargerId: "CP-1",
        connectorIds: [2],
        errorCodes: ["GroundFailure"],
        firstTime: new Date("2026-11-03T17:05:09Z"),
        lastTime: new Date("2026-11-03T17:05:09Z"),
        count: 1,
        isBack: false,
      },
      {
        chargerId: "CP-2",
        connectorIds: [0, 1],
        errorCodes: ["OverVoltage", "PowerMeterFailure"],
        firstTime: new Date("2026-11-03T17:01:40Z"),
        lastTime: new Date("2026-11-03T17:14:02Z"),
        count: 7,
        isBack: true,
      },
    ],
  }),
});
