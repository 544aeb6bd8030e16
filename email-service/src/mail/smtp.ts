import { ConfigError } from "@chargemesh/kit/config";
import type { Stack } from "@chargemesh/kit/main";
import { createTransport, type NodemailerError } from "nodemailer";
import { type From, toMime } from "./mime.ts";
import { SENDING_MAX } from "./schedule.ts";
import type { MailTransport } from "./transport.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** How long a login that worked stands for the next checks, and one that did not, in ms. */
const CHECKED_MS = { good: 30_000, bad: 5_000 };
/** Replies that are about us, not about the mail: authentication required, mechanism too weak, failed, encryption required (RFC 4954). */
const ABOUT_US = new Set([530, 534, 535, 538]);

/** Opens a pool of SMTP connections, each made when it is needed. Throws ConfigError if `url` is not one of SMTP. */
export function openSmtp(url: string, from: From, stack: Stack): MailTransport {
  const pool = createTransport({
    url,
    pool: true,
    maxConnections: SENDING_MAX,
    // What is tried again, and when, is for us to say and to record.
    maxRequeues: 0,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    // The URL's own ?requireTLS=false is stronger.
    requireTLS: mustEncrypt(url),
  });
  stack.defer("smtp", () => pool.close({ force: true }));
  const health = remember(() => pool.verify());
  return {
    name: "smtp",
    check: health.check,
    async send(mail, signal) {
      try {
        await pool.sendMail({ ...toMime(mail, from), signal });
        health.tell(undefined);
        return { kind: "taken" };
      } catch (err) {
        if (!signal.aborted) health.tell(isAboutMail(err) ? undefined : err);
        return { kind: isForGood(err) ? "refused" : "deferred", error: err instanceof Error ? err.message : String(err) };
      }
    },
  };
}

/** A password goes over a network only encrypted, whatever the server offers or somebody between has struck out of its offer. */
function mustEncrypt(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^smtps?:$/.test(parsed.protocol) || parsed.hostname === "")
    throw new ConfigError("bad configuration: SMTP_URL must be smtp://user:password@host:port or smtps://…");
  return parsed.password !== "" && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(parsed.hostname);
}

/** Whether the recipient or the message is at fault, and not the server or our way into it, such as the address that all mail is from. */
function isAboutMail(err: unknown): err is NodemailerError {
  const { code, command, responseCode = 0 }: NodemailerError = err instanceof Error ? err : new Error();
  return (code === "EENVELOPE" || code === "EMESSAGE") && command !== "MAIL FROM" && !ABOUT_US.has(responseCode);
}

/** Whether the server said 5xx of this mail (RFC 5321 4.2.1), or nodemailer that no server could take it. */
function isForGood(err: unknown): boolean {
  return isAboutMail(err) && (err.permanent ?? err.responseCode === undefined);
}

/** Asks `verify` now and then, and answers in between what it, or whoever told us, said last. */
function remember(verify: () => Promise<unknown>) {
  let fault: unknown;
  let freshUntil = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const tell = (now: unknown): void => {
    fault = now;
    freshUntil = performance.now() + (now === undefined ? CHECKED_MS.good : CHECKED_MS.bad);
  };
  const ask = (): Promise<void> =>
    verify()
      .then(() => tell(undefined), tell)
      .finally(() => {
        asking = undefined;
      });
  const check = async (): Promise<void> => {
    if (performance.now() > freshUntil) asking ??= ask();
    await asking;
    if (fault !== undefined) throw fault;
  };
  return { tell, check };
}
