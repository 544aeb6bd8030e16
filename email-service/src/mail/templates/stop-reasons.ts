import type { Language } from "../language.ts";

/** What happened, and what the driver can do about it. */
interface Words {
  what: string;
  advice: string;
}

type Kind = "emergency" | "restart" | "power" | "fault" | "refused" | "unlocked" | "unplugged" | "credit" | "timeout" | "other";

/** The reasons of OCPP 1.6 (StopTransaction.reason) and 2.0.1 (ReasonEnumType) by which something other than the driver's wish ends a charge. */
const kinds: Record<string, Kind> = {
  DeAuthorized: "refused",
  EmergencyStop: "emergency",
  EVDisconnected: "unplugged",
  GroundFault: "fault",
  HardReset: "restart",
  ImmediateReset: "restart",
  LocalOutOfCredit: "credit",
  OvercurrentFault: "fault",
  PowerLoss: "power",
  PowerQuality: "power",
  Reboot: "restart",
  SoftReset: "restart",
  Timeout: "timeout",
  UnlockCommand: "unlocked",
};

const english: Record<Kind, Words> = {
  emergency: {
    what: "Somebody pressed the emergency stop of the charger, so it stopped charging at once.",
    advice: "If there is danger, stay away and call for help. Otherwise use another charger until this one has been checked.",
  },
  restart: {
    what: "The charger restarted while your car was charging.",
    advice: "Give it a few minutes, then begin again: plug in and present your card or app once more.",
  },
  power: {
    what: "The charger lost its power supply, or the supply was not good enough to go on.",
    advice: "When the charger shows that it is ready, begin again: plug in and present your card or app once more.",
  },
  fault: {
    what: "The charger found an electrical fault and stopped charging, for safety.",
    advice: "Unplug your car and try another charger. If it happens there too, have the cable and the car checked.",
  },
  refused: {
    what: "Your card or app was no longer accepted.",
    advice: "Check in your account whether it is blocked or has expired. If it should work, ask whoever runs this service.",
  },
  unlocked: {
    what: "The connector was unlocked from afar, which ended your charge.",
    advice: "If you did not ask for this, plug in again and present your card or app once more.",
  },
  unplugged: {
    what: "The cable was unplugged from your car.",
    advice: "If that was not you, check on your car. To go on, plug in and present your card or app once more.",
  },
  credit: {
    what: "The credit that you charged with is used up.",
    advice: "Top it up to go on, then plug in and present your card or app once more.",
  },
  timeout: {
    what: "Your car and the charger did not come to terms in time.",
    advice: "Unplug, plug in again until it clicks, and present your card or app once more.",
  },
  other: {
    what: "Your charge was broken off, and the charger did not say why in words that we know.",
    advice: "Plug in again and present your card or app once more. If it fails again, use another charger.",
  },
};

const german: Record<Kind, Words> = {
  emergency: {
    what: "Jemand hat den Not-Halt der Ladestation gedrückt. Deshalb hat sie das Laden sofort beendet.",
    advice: "Bei Gefahr halten Sie Abstand und rufen Sie Hilfe. Sonst benutzen Sie bitte eine andere Ladestation, bis diese geprüft ist.",
  },
  restart: {
    what: "Die Ladestation hat neu gestartet, während Ihr Auto lud.",
    advice:
      "Warten Sie ein paar Minuten und beginnen Sie dann neu: Stecken Sie das Kabel ein und halten Sie Ihre Karte vor oder öffnen Sie die App.",
  },
  power: {
    what: "Der Strom an der Ladestation ist ausgefallen oder war zu schlecht, um weiterzuladen.",
    advice:
      "Sobald die Ladestation wieder bereit ist, beginnen Sie neu: Stecken Sie das Kabel ein und halten Sie Ihre Karte vor oder öffnen Sie die App.",
  },
  fault: {
    what: "Die Ladestation hat einen elektrischen Fehler festgestellt und das Laden zur Sicherheit beendet.",
    advice:
      "Ziehen Sie das Kabel ab und versuchen Sie es an einer anderen Ladestation. Geschieht es dort wieder, lassen Sie Kabel und Auto prüfen.",
  },
  refused: {
    what: "Ihre Karte oder App wurde nicht mehr akzeptiert.",
    advice:
      "Sehen Sie in Ihrem Konto nach, ob sie gesperrt oder abgelaufen ist. Sollte sie gelten, fragen Sie den Betreiber dieses Dienstes.",
  },
  unlocked: {
    what: "Der Anschluss wurde aus der Ferne entriegelt. Das hat Ihren Ladevorgang beendet.",
    advice: "Wenn Sie das nicht wollten, stecken Sie das Kabel wieder ein und halten Sie Ihre Karte vor oder öffnen Sie die App.",
  },
  unplugged: {
    what: "Das Kabel wurde von Ihrem Auto abgezogen.",
    advice:
      "Wenn Sie das nicht waren, sehen Sie nach Ihrem Auto. Um weiterzuladen, stecken Sie das Kabel ein und halten Sie Ihre Karte vor.",
  },
  credit: {
    what: "Das Guthaben, mit dem Sie geladen haben, ist aufgebraucht.",
    advice:
      "Um weiterzuladen, laden Sie das Guthaben auf, stecken Sie das Kabel ein und halten Sie Ihre Karte vor oder öffnen Sie die App.",
  },
  timeout: {
    what: "Ihr Auto und die Ladestation haben sich nicht rechtzeitig verständigt.",
    advice: "Ziehen Sie das Kabel ab, stecken Sie es wieder ein, bis es einrastet, und halten Sie Ihre Karte vor oder öffnen Sie die App.",
  },
  other: {
    what: "Ihr Ladevorgang wurde abgebrochen. Die Ladestation hat den Grund nicht so genannt, dass wir ihn verstehen.",
    advice:
      "Stecken Sie das Kabel wieder ein und halten Sie Ihre Karte vor oder öffnen Sie die App. Klappt es nicht, nehmen Sie eine andere Ladestation.",
  },
};

const words: Record<Language, Record<Kind, Words>> = { en: english, de: german };

/** Why a charge was broken off, in plain words, from the charger's own. */
export function whyItStopped(stopReason: string, language: Language): Words {
  return words[language][Object.hasOwn(kinds, stopReason) ? (kinds[stopReason] ?? "other") : "other"];
}
