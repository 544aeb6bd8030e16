import type { Env } from "@chargemesh/kit/config";

/** How a mail server is reached, and how much it is given. */
export interface SmtpSettings {
  host: string;
  /** Undefined for the usual one: 465 with TLS from the first byte, else 587. */
  port: number | undefined;
  /** Undefined if the server wants none. */
  login: { user: string; pass: string } | undefined;
  encryption: Encryption;
  /** A file: the authority that the server's certificate is held to, in place of those that Node knows. */
  ca: string | undefined;
  /** How many mails are on their way at once, each on a connection of its own. */
  connections: number;
  /** How many mails this replica begins to send in a second; 0 is no limit. */
  perSecond: number;
}

/**
 * `implicit`: TLS from the first byte. `required`: STARTTLS, or nothing is said. `opportunistic`: STARTTLS where it is offered, else in clear.
 * `never`: in clear. Where there is TLS, the server's certificate must be good.
 */
export type Encryption = "implicit" | "required" | "opportunistic" | "never";

/** More than a small mail server likes gains nothing. */
const CONNECTIONS = 5;

/** Where mail goes by SMTP; undefined if it does not. */
export function readSmtpSettings(env: Env): SmtpSettings | undefined {
  const connections = env.integer("SMTP_CONNECTIONS", CONNECTIONS, { min: 1, max: 100 });
  const perSecond = env.integer("SMTP_PER_SECOND", 0, { min: 0, max: 10_000 });
  const ca = env.optional("SMTP_CA");
  const url = env.parsed("SMTP_URL", readUrl, undefined);
  const isNear = url === undefined || isLoopback(url.host);
  const startTls = env.oneOf("SMTP_STARTTLS", ["required", "opportunistic", "never"], isNear ? "opportunistic" : "required");
  if (url === undefined) return undefined;
  const { isImplicit, ...server } = url;
  const encryption = isImplicit ? "implicit" : startTls;
  if (server.login !== undefined && !isNear && encryption !== "implicit" && encryption !== "required")
    env.fault("SMTP_STARTTLS must be required, for SMTP_URL has a password that would go over a network in clear");
  return { ...server, encryption, ca, connections, perSecond };
}

/** Throws if it says more than where the server is and who we are: what encrypts has settings of its own. */
function readUrl(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== "" && /^\/?$/.test(url.pathname);
  if (!isPlain || url.search !== "" || url.hash !== "" || (url.username === "") !== (url.password === ""))
    throw new Error("must be smtp://user:password@host:port or smtps://…");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? undefined : Number(url.port),
    login: url.username === "" ? undefined : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    isImplicit: url.protocol === "smtps:",
  };
}

/** Whether nobody on another machine is at the other end. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);
}
