import { ConfigError } from "@chargemesh/kit/config";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { LINK_MARK } from "./document.ts";

/** What a one-time token is for, and so where its link leads. */
export type LinkPurpose = "VERIFY_EMAIL" | "CHANGE_EMAIL" | "RESET_PASSWORD";

/** What the page at /account does with a token. */
const actions: Record<LinkPurpose, string> = { VERIFY_EMAIL: "verify", CHANGE_EMAIL: "verify", RESET_PASSWORD: "reset" };

/** Turns sealed tokens into links that nobody sees but their recipients, not even who reads the table of messages. */
export interface Links {
  /** The link of a token, sealed again; undefined if auth-service did not seal the token. */
  sealedLink(purpose: LinkPurpose, sealedToken: string): string | undefined;
  /** A text or HTML with the link in its place; undefined if the link cannot be opened. */
  put(text: string, sealedLink: string): string | undefined;
}

/** `publicUrl` is where people reach the gateway. The token is behind the #, so that it is in nobody's log. */
export function makeLinks(meshSecret: string, publicUrl: string): Links {
  const base = readUrl(publicUrl);
  const tokens = makeSealedTexts(meshSecret, "one-time token");
  const links = makeSealedTexts(meshSecret, "link of a mail");
  return {
    sealedLink(purpose, sealedToken) {
      const token = tokens.open(sealedToken);
      return token === undefined ? undefined : links.seal(`${base}/account#${actions[purpose]}=${token}`);
    },
    put(text, sealedLink) {
      const link = links.open(sealedLink);
      return link === undefined ? undefined : text.replaceAll(LINK_MARK, () => link);
    },
  };
}

function readUrl(publicUrl: string): string {
  const isPlain = /^https?:\/\/[^\s"<>?#&]+$/.test(publicUrl) && URL.canParse(publicUrl);
  if (!isPlain) throw new ConfigError("bad configuration: PUBLIC_URL must be http://… or https://…, without ? and #");
  return publicUrl.replace(/\/+$/, "");
}
