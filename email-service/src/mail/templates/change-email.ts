import { defineLinkTemplate } from "./account-link.ts";

export const changeEmail = defineLinkTemplate("change-email", "To the new address of a user, to show that it is theirs.", {
  en: {
    subject: "Is this your new email address?",
    what: "This is to be the new address of your account. Until you say so, the old one stays.",
    linkTo: "Yes, this is my new address",
    ifNotYou: "If you did not ask for this, you can ignore this mail.",
    why: "You get this mail because somebody gave this address for their account.",
  },
  de: {
    subject: "Ist das Ihre neue E-Mail-Adresse?",
    what: "Dies soll die neue Adresse Ihres Kontos werden. Bis Sie es bestätigen, bleibt es bei der alten.",
    linkTo: "Ja, das ist meine neue Adresse",
    ifNotYou: "Wenn Sie das nicht veranlasst haben, können Sie diese E-Mail ignorieren.",
    why: "Sie bekommen diese E-Mail, weil jemand diese Adresse für ein Konto angegeben hat.",
  },
});
