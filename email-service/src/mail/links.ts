import { ConfigError } from "@chargemesh/kit/config";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { LINK_MARK } from "./document.ts";
import { makeUnsubscribeTokens, type Unsubscribing } from "./unsubscribe-token.ts";

/** What a one-time token is for, and so where its link leads. */
export type LinkPurpose = "VERIFY_EMAIL" | "CHANGE_EMAIL" | "RESET_PASSWORD";

/** What the page at /account does with a token. */
const actions: Record<LinkPurpose, string> = { VERIFY_EMAIL: "verify", CHANGE_EMAIL: "verify", RESET_PASSWORD: "reset" };

/** A text of somebody else that may repeat a mail, without the tokens of its links. */
export function withoutTokens(text: string): string {
  return text.replace(/#(verify|reset)=[\w-]+/g, "#$1=…").replace(/(\/email\/unsubscribe\/)[\w-]+/g, "$1…");
}

/** What stands in the place of the link by which one unsubscribes, until the mail is sent. */
export const UNSUBSCRIBE_MARK = "[a link by which only the recipient unsubscribes]";

/** The same of the page on which one chooses which mails to get. */
export const PREFERENCES_MARK = "[a link to the choice of mails]";

/** Makes the links in mails, which nobody sees but their recipients, not even who reads the table of messages. */
export interface Links {
  /** The link of a token, sealed again; undefined if auth-service did not seal the token. */
  sealedLink(purpose: LinkPurpose, sealedToken: string): string | undefined;
  /** A text or HTML with the link in its place; undefined if the link cannot be opened. */
  put(text: string, sealedLink: string): string | undefined;
  /** Where somebody who signs in chooses which mails they get. */
  preferencesUrl: string;
  /** Where somebody says that they want no more mails of a kind. */
  unsubscribeUrl(unsubscribing: Unsubscribing): string;
  /** Undefined if the token is of no such link. */
  readUnsubscribeToken(token: string): Unsubscribing | undefined;
}

/** `publicUrl` is where people reach the gateway. A one-time token is behind the #, so that it is in nobody's log. */
export function makeLinks(meshSecret: string, publicUrl: string): Links {
  const base = readUrl(publicUrl);
  const tokens = makeSealedTexts(meshSecret, "one-time token");
  const links = makeSealedTexts(meshSecret, "link of a mail");
  const unsubscribing = makeUnsubscribeTokens(meshSecret);
  return {
    sealedLink(purpose, sealedToken) {
      const token = tokens.open(sealedToken);
      return token === undefined ? undefined : links.seal(`${base}/account#${actions[purpose]}=${token}`);
    },
    put(text, sealedLink) {
      const link = links.open(sealedLink);
      return link === undefined ? undefined : text.replaceAll(LINK_MARK, () => link);
    },
    preferencesUrl: `${base}/account#mails`,
    unsubscribeUrl: (who) => `${base}/email/unsubscribe/${unsubscribing.sign(who)}`,
    readUnsubscribeToken: unsubscribing.read,
  };
}

function readUrl(publicUrl: string): string {
  const isPlain = /^https?:\/\/[^\s"<>?#&]+$/.test(publicUrl) && URL.canParse(publicUrl);
  if (!isPlain) throw new ConfigError("bad configuration: PUBLIC_URL must be http://… or https://…, without ? and #");
  return publicUrl.replace(/\/+$/, "");
}
