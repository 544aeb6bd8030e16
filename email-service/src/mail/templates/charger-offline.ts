import type { Language } from "../language.ts";
import { type Course, type DigestWords, digest } from "./digest.ts";
import { defineTemplate } from "./template.ts";

/** Chargers whose connection was lost, each perhaps again and again, and whether it is connected now. */
export interface OfflineChargers {
  username: string;
  chargers: readonly Course[];
}

const texts: Record<Language, DigestWords> = {
  en: {
    one: { subject: (charger) => `Charger ${charger} went offline`, what: "A charger has lost its connection to us." },
    several: {
      subject: (chargers) => `${chargers} chargers went offline`,
      what: (chargers) => `${chargers} chargers have lost their connection to us.`,
    },
    first: "First lost",
    last: "Last lost",
    count: "How often",
    now: "Now",
    isBack: "connected again",
    isNotBack: "offline",
    advice: "While a charger is offline, nobody can start a charge there from afar. What it measures meanwhile it will report later.",
    why: "You get this mail because you run chargers. Several losses in a short time come in one mail.",
  },
  de: {
    one: {
      subject: (charger) => `Ladestation ${charger} ist offline`,
      what: "Eine Ladestation hat die Verbindung zu uns verloren.",
    },
    several: {
      subject: (chargers) => `${chargers} Ladestationen sind offline`,
      what: (chargers) => `${chargers} Ladestationen haben die Verbindung zu uns verloren.`,
    },
    first: "Zuerst verloren",
    last: "Zuletzt verloren",
    count: "Wie oft",
    now: "Jetzt",
    isBack: "wieder verbunden",
    isNotBack: "offline",
    advice:
      "Solange eine Ladestation offline ist, lässt sich dort kein Ladevorgang aus der Ferne starten. Was sie inzwischen misst, meldet sie später.",
    why: "Sie bekommen diese E-Mail, weil Sie Ladestationen betreiben. Mehrere Ausfälle in kurzer Zeit fassen wir in einer E-Mail zusammen.",
  },
};

export const chargerOffline = defineTemplate<OfflineChargers>({
  id: "charger-offline",
  category: "OPERATION",
  description: "To operators, of all chargers whose connection was lost since the last such mail.",
  write: (data, language) => digest(data, texts[language], () => [], language),
  sample: () => ({
    username: "ada",
    chargers: [
      {
        chargerId: "CP-1",
        firstTime: new Date("2026-11-03T17:05:09Z"),
        lastTime: new Date("2026-11-03T17:05:09Z"),
        count: 1,
        isBack: false,
      },
      {
        chargerId: "CP-2",
        firstTime: new Date("2026-11-03T17:01:40Z"),
        lastTime: new Date("2026-11-03T17:14:02Z"),
        count: 7,
        isBack: true,
      },
    ],
  }),
});
