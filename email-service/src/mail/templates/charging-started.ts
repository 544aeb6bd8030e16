import { figures } from "../figures.ts";
import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** A charge that has begun. */
export interface StartedCharge {
  username: string;
  transactionId: string;
  chargerId: string;
  connectorId: number;
  /** undefined if the charger's clock was plainly wrong, too. */
  startTime: Date | undefined;
}

const texts = {
  en: {
    subject: (charger: string) => `Charging has started at ${charger}`,
    what: "Your car is charging. When it is done, we will send you a receipt.",
    charger: "Charger",
    connector: "Connector",
    started: "Started",
    transaction: "Transaction",
    ifNotYou: "If this is not your charge, somebody may be using your card: tell whoever runs this service.",
    why: "You get this mail because a charge began with a card or an app of your account.",
  },
  de: {
    subject: (charger: string) => `Der Ladevorgang an ${charger} hat begonnen`,
    what: "Ihr Auto lädt. Wenn es fertig ist, schicken wir Ihnen einen Beleg.",
    charger: "Ladestation",
    connector: "Anschluss",
    started: "Beginn",
    transaction: "Vorgang",
    ifNotYou: "Wenn Sie das nicht sind, benutzt womöglich jemand Ihre Karte: Wenden Sie sich bitte an den Betreiber dieses Dienstes.",
    why: "Sie bekommen diese E-Mail, weil mit einer Karte oder App Ihres Kontos ein Ladevorgang begonnen hat.",
  },
};

export const chargingStarted = defineTemplate<StartedCharge>({
  id: "charging-started",
  category: "CHARGING",
  description: "To the user with whose id token a charge began.",
  write({ username, transactionId, chargerId, connectorId, startTime }, language) {
    const { subject, what, charger, connector, started, transaction, ifNotYou, why } = texts[language];
    const { hello, unknown } = phrase[language];
    return {
      subject: subject(chargerId),
      preview: what,
      blocks: [
        hello(username),
        what,
        [
          [charger, chargerId],
          [connector, String(connectorId)],
          [started, startTime === undefined ? unknown : figures[language].time(startTime)],
          [transaction, transactionId],
        ],
        ifNotYou,
      ],
      why,
    };
  },
  sample: () => ({
    username: "ada",
    transactionId: "4711",
    chargerId: "CP-1",
    connectorId: 2,
    startTime: new Date("2026-11-03T17:05:09Z"),
  }),
});
