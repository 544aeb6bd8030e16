import { deviceOf } from "../device.ts";
import { figures } from "../figures.ts";
import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** Somebody signed in from where they had not before. */
export interface NewSignIn {
  username: string;
  time: Date | undefined;
  /** Empty if it is not known. */
  remoteAddress: string;
  /** What the browser or app says of itself (User-Agent); empty if it says nothing. */
  userAgent: string;
}

const texts = {
  en: {
    subject: "A new sign-in to your account",
    what: "Somebody signed in to your account from a device or a place that we did not know.",
    when: "When",
    device: "Device",
    remoteAddress: "From the address",
    advice: "If this was you, there is nothing you need to do.",
    ifNotYou: "If it was not you, set a new password at once: that ends every session. Whoever did it knows yours.",
    why: "You get this mail because it is about the security of your account. Such mails cannot be unsubscribed from.",
  },
  de: {
    subject: "Neue Anmeldung an Ihrem Konto",
    what: "Jemand hat sich mit einem Gerät oder von einem Ort aus an Ihrem Konto angemeldet, die wir noch nicht kannten.",
    when: "Wann",
    device: "Gerät",
    remoteAddress: "Von der Adresse",
    advice: "Wenn Sie das waren, müssen Sie nichts tun.",
    ifNotYou: "Wenn Sie es nicht waren, legen Sie sofort ein neues Passwort fest: Das beendet alle Sitzungen. Jemand kennt Ihr Passwort.",
    why: "Sie bekommen diese E-Mail, weil es um die Sicherheit Ihres Kontos geht. Solche E-Mails lassen sich nicht abbestellen.",
  },
};

export const newSignIn = defineTemplate<NewSignIn>({
  id: "new-sign-in",
  category: "ACCOUNT",
  description: "To a user who signed in from a device or an address that they had not signed in from before.",
  write({ username, time, remoteAddress, userAgent }, language) {
    const { subject, what, when, device, remoteAddress: from, advice, ifNotYou, why } = texts[language];
    const { hello, unknown } = phrase[language];
    return {
      subject,
      preview: what,
      blocks: [
        hello(username),
        what,
        [
          [when, time === undefined ? unknown : figures[language].time(time)],
          [device, userAgent === "" ? unknown : deviceOf(userAgent, language)],
          [from, remoteAddress === "" ? unknown : remoteAddress],
        ],
        advice,
        ifNotYou,
      ],
      why,
    };
  },
  sample: () => ({
    username: "ada",
    time: new Date("2026-11-03T17:05:09Z"),
    remoteAddress: "192.0.2.7",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  }),
});
