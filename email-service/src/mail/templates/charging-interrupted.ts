import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { phrase } from "../phrases.ts";
import { powerChart } from "../power-chart.ts";
import { type Charge, factsOf, remarksOn, sampleCharge } from "./charge.ts";
import { whyItStopped } from "./stop-reasons.ts";
import { defineTemplate } from "./template.ts";

/** A charge that something broke off. */
export interface InterruptedCharge extends Charge {
  /** In the charger's word: "PowerLoss". */
  stopReason: string;
}

const texts: Record<Language, { subject(charger: string): string; soFar(energy: string): string; advice: string; why: string }> = {
  en: {
    subject: (charger) => `Your charge at ${charger} was interrupted`,
    soFar: (energy) => `Until then your car had taken ${energy}.`,
    advice: "What you can do",
    why: "You get this mail because a charge was interrupted that began with a card or an app of your account.",
  },
  de: {
    subject: (charger) => `Ihr Ladevorgang an ${charger} wurde unterbrochen`,
    soFar: (energy) => `Bis dahin hatte Ihr Auto ${energy} geladen.`,
    advice: "Was Sie tun können",
    why: "Sie bekommen diese E-Mail, weil ein Ladevorgang unterbrochen wurde, der mit einer Karte oder App Ihres Kontos begonnen hat.",
  },
};

export const chargingInterrupted = defineTemplate<InterruptedCharge>({
  id: "charging-interrupted",
  category: "CHARGING",
  description: "To the user whose charge something broke off, in the place of a receipt.",
  write(charge, language) {
    const { subject, soFar, advice, why } = texts[language];
    const { what, advice: todo } = whyItStopped(charge.stopReason, language);
    const energy = charge.energyWh === undefined ? [] : [soFar(figures[language].energy(charge.energyWh))];
    const chart = charge.clockIsWrong ? undefined : powerChart(charge.powerCurve, language);
    return {
      subject: subject(charge.chargerId),
      preview: [what, ...energy].join(" "),
      blocks: [
        phrase[language].hello(charge.username),
        [what, ...energy].join(" "),
        { heading: advice },
        todo,
        factsOf(charge, language),
        ...(chart === undefined ? [] : [{ chart }]),
        ...remarksOn(charge, language),
      ],
      why,
    };
  },
  sample: () => ({ ...sampleCharge(), stopReason: "PowerLoss" }),
});
