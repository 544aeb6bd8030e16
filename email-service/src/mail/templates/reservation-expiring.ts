import { figures } from "../figures.ts";
import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** A reservation that ends soon, unused. */
export interface ExpiringReservation {
  username: string;
  chargerId: string;
  /** 0 for any connector of the charger. */
  connectorId: number;
  expireTime: Date | undefined;
}

const texts = {
  en: {
    subject: (charger: string) => `Your reservation at ${charger} ends soon`,
    what: "A charger is being kept for you, but not for much longer. Once you have begun to charge there, its end does not matter.",
    charger: "Charger",
    connector: "Connector",
    any: "any",
    until: "Kept until",
    advice: "If you will be late, make another reservation. If you do not need it any more, cancel it, so that somebody else can charge.",
    why: "You get this mail because a charger was reserved for your account.",
  },
  de: {
    subject: (charger: string) => `Ihre Reservierung an ${charger} endet bald`,
    what: "Eine Ladestation wird für Sie freigehalten, aber nicht mehr lange. Sobald Sie dort laden, spielt das Ende keine Rolle mehr.",
    charger: "Ladestation",
    connector: "Anschluss",
    any: "beliebig",
    until: "Freigehalten bis",
    advice:
      "Wenn Sie später kommen, reservieren Sie bitte neu. Wenn Sie die Reservierung nicht mehr brauchen, stornieren Sie sie, damit jemand anders laden kann.",
    why: "Sie bekommen diese E-Mail, weil eine Ladestation für Ihr Konto reserviert ist.",
  },
};

export const reservationExpiring = defineTemplate<ExpiringReservation>({
  id: "reservation-expiring",
  category: "RESERVATION",
  description: "To the user for whom a charger is kept, shortly before it no longer is.",
  write({ username, chargerId, connectorId, expireTime }, language) {
    const { subject, what, charger, connector, any, until, advice, why } = texts[language];
    const { hello, unknown } = phrase[language];
    return {
      subject: subject(chargerId),
      preview: what,
      blocks: [
        hello(username),
        what,
        [
          [charger, chargerId],
          [connector, connectorId === 0 ? any : String(connectorId)],
          [until, expireTime === undefined ? unknown : figures[language].minute(expireTime)],
        ],
        advice,
      ],
      why,
    };
  },
  sample: () => ({ username: "ada", chargerId: "CP-1", connectorId: 2, expireTime: new Date("2026-11-03T17:20:00Z") }),
});
