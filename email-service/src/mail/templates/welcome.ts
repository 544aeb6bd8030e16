import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** Somebody who has just signed up. */
export interface NewUser {
  username: string;
}

const texts = {
  en: {
    subject: "Welcome to Chargemesh",
    ready: "Your account is ready. You can now sign in and charge your car.",
    username: "You sign in as",
    receipts: "After each charge we will send a receipt to this address.",
    ifNotYou: "If you did not sign up, somebody has given us your address by mistake, and you can ignore this mail.",
    why: "You get this mail because an account was opened with this address.",
  },
  de: {
    subject: "Willkommen bei Chargemesh",
    ready: "Ihr Konto ist eingerichtet. Sie können sich jetzt anmelden und Ihr Auto laden.",
    username: "Sie melden sich an als",
    receipts: "Nach jedem Ladevorgang schicken wir einen Beleg an diese Adresse.",
    ifNotYou:
      "Wenn Sie kein Konto eröffnet haben, hat jemand versehentlich Ihre Adresse angegeben. Dann können Sie diese E-Mail ignorieren.",
    why: "Sie bekommen diese E-Mail, weil mit dieser Adresse ein Konto eröffnet wurde.",
  },
};

export const welcome = defineTemplate<NewUser>({
  id: "welcome",
  category: "ACCOUNT",
  description: "To somebody who has just signed up.",
  write({ username }, language) {
    const { subject, ready, username: label, receipts, ifNotYou, why } = texts[language];
    return {
      subject,
      preview: ready,
      blocks: [phrase[language].hello(username), ready, [[label, username]], receipts, ifNotYou],
      why,
    };
  },
  sample: () => ({ username: "ada" }),
});
