import type { Document } from "../document.ts";
import type { LinkPurpose } from "../links.ts";

/** The name of a template, by which operators find its mails. */
export const linkTemplates: Record<LinkPurpose, string> = {
  VERIFY_EMAIL: "verify-email",
  CHANGE_EMAIL: "change-email",
  RESET_PASSWORD: "reset-password",
};

const texts: Record<LinkPurpose, { subject: string; what: string; linkTo: string; ifNotYou: string }> = {
  VERIFY_EMAIL: {
    subject: "Is this your email address?",
    what: "somebody signed up with this address. If it was you, please say so.",
    linkTo: "Yes, this is my address",
    ifNotYou: "If it was not you, somebody has given us your address by mistake, and you can ignore this mail.",
  },
  CHANGE_EMAIL: {
    subject: "Is this your new email address?",
    what: "this is to be the new address of your account. Until you say so, the old one stays.",
    linkTo: "Yes, this is my new address",
    ifNotYou: "If you did not ask for this, you can ignore this mail.",
  },
  RESET_PASSWORD: {
    subject: "A new password",
    what: "somebody asked for a new password for your account.",
    linkTo: "Set a new password",
    ifNotYou: "If it was not you, you can ignore this mail: nothing has changed.",
  },
};

/** For somebody who shall do something that only they can, by a link. */
export function accountLink(purpose: LinkPurpose, username: string, expireTime: Date | undefined): Document {
  const { subject, what, linkTo, ifNotYou } = texts[purpose];
  const until = expireTime === undefined ? "" : ` and until ${expireTime.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return {
    subject,
    blocks: [`Hello ${username},`, what, { linkTo }, `The link is good once${until}. Give it to nobody.`, ifNotYou],
  };
}
