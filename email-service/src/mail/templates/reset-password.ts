import { defineLinkTemplate } from "./account-link.ts";

export const resetPassword = defineLinkTemplate("reset-password", "To a user who has forgotten their password.", {
  en: {
    subject: "A new password",
    what: "Somebody asked for a new password for your account.",
    linkTo: "Set a new password",
    ifNotYou: "If it was not you, you can ignore this mail: nothing has changed.",
    why: "You get this mail because somebody asked for a new password for your account.",
  },
  de: {
    subject: "Ein neues Passwort",
    what: "Jemand hat für Ihr Konto ein neues Passwort angefordert.",
    linkTo: "Neues Passwort festlegen",
    ifNotYou: "Wenn Sie es nicht waren, können Sie diese E-Mail ignorieren: Es hat sich nichts geändert.",
    why: "Sie bekommen diese E-Mail, weil jemand für Ihr Konto ein neues Passwort angefordert hat.",
  },
});
