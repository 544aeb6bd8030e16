import { isIP } from "node:net";
import { isIn, isPublicAddress, type Networks } from "./address.ts";

/** Where webhooks may lead beyond the public internet. */
export interface UrlRuleOptions {
  allowedNetworks: Networks;
  /** Whether there are any of them. */
  allowsNetworks: boolean;
}

/** Names that lead to the machine itself, wherever it is (RFC 6761, section 6.3). */
const LOCALHOST = /(^|\.)localhost\.?$/;

/**
 * Says what is wrong with the URL of a webhook; undefined if nothing is, as far as it can be told from the URL alone. Where a name leads is looked
 * at whenever something is sent there.
 */
export function makeUrlRule({ allowedNetworks: allowed, allowsNetworks }: UrlRuleOptions): (text: string) => string | undefined {
  return (text) => {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) return "must be a URL that begins with https://";
    if (url.username !== "" || url.password !== "") return "must not hold a user name or a password";
    if (text.includes("#")) return "must not have a fragment";
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const address = LOCALHOST.test(host) ? "127.0.0.1" : host;
    const isName = isIP(address) === 0;
    if (!isName && !isPublicAddress(address, allowed))
      return "must lead to a public address, or to one of the networks that WEBHOOK_ALLOWED_NETWORKS allows";
    // The networks that a name leads to are known only when it is called.
    if (url.protocol === "http:" && !(isName ? allowsNetworks : isIn(allowed, address)))
      return "must begin with https:// outside of the networks that WEBHOOK_ALLOWED_NETWORKS allows";
    return undefined;
  };
}
