import { figures } from "../figures.ts";
import { phrase } from "../phrases.ts";
import { powerChart } from "../power-chart.ts";
import { type Charge, factsOf, remarksOn, sampleCharge } from "./charge.ts";
import { defineTemplate } from "./template.ts";

const texts = {
  en: {
    subject: (charger: string, energy: string | undefined) => `Your charge at ${charger}: ${energy ?? "receipt"}`,
    what: "This is the receipt of your charge.",
    why: "You get this mail because a charge ended that began with a card or an app of your account.",
  },
  de: {
    subject: (charger: string, energy: string | undefined) => `Ihr Ladevorgang an ${charger}: ${energy ?? "Beleg"}`,
    what: "Hier ist der Beleg über Ihren Ladevorgang.",
    why: "Sie bekommen diese E-Mail, weil ein Ladevorgang beendet ist, der mit einer Karte oder App Ihres Kontos begonnen hat.",
  },
};

export const receipt = defineTemplate<Charge>({
  id: "receipt",
  category: "CHARGING",
  description: "To the user who charged, once the charge has ended.",
  write(charge, language) {
    const { subject, what, why } = texts[language];
    const energy = charge.energyWh === undefined ? undefined : figures[language].energy(charge.energyWh);
    const facts = factsOf(charge, language);
    const chart = charge.clockIsWrong ? undefined : powerChart(charge.powerCurve, language);
    return {
      subject: subject(charge.chargerId, energy),
      // The energy, and how long it took.
      preview: facts
        .slice(0, 2)
        .map(([label, value]) => `${label}: ${value}`)
        .join(" · "),
      blocks: [
        phrase[language].hello(charge.username),
        what,
        facts,
        ...(chart === undefined ? [] : [{ chart }]),
        ...remarksOn(charge, language),
      ],
      why,
    };
  },
  sample: sampleCharge,
});
