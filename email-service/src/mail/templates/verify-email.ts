import { defineLinkTemplate } from "./account-link.ts";

export const verifyEmail = defineLinkTemplate("verify-email", "To somebody who signed up, to show that the address is theirs.", {
  en: {
    subject: "Is this your email address?",
    what: "Somebody signed up with this address. If it was you, please say so.",
    linkTo: "Yes, this is my address",
    ifNotYou: "If it was not you, somebody has given us your address by mistake, and you can ignore this mail.",
    why: "You get this mail because somebody signed up with this address.",
  },
  de: {
    subject: "Ist das Ihre E-Mail-Adresse?",
    what: "Jemand hat mit dieser Adresse ein Konto eröffnet. Wenn Sie das waren, bestätigen Sie es bitte.",
    linkTo: "Ja, das ist meine Adresse",
    ifNotYou: "Wenn Sie es nicht waren, hat jemand versehentlich Ihre Adresse angegeben. Dann können Sie diese E-Mail ignorieren.",
    why: "Sie bekommen diese E-Mail, weil jemand mit dieser Adresse ein Konto eröffnet hat.",
  },
});
