import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigError } from "@chargemesh/kit/config";
import type { Stack } from "@chargemesh/kit/main";
import { createTransport, type NodemailerError } from "nodemailer";
import { readBounce } from "./bounce.ts";
import { type From, toMime } from "./mime.ts";
import { makePace } from "./pace.ts";
import type { Encryption, SmtpSettings } from "./smtp-settings.ts";
import type { MailTransport, Outcome } from "./transport.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** How long a server may be silent in the middle of a mail, in ms: who hangs up while it looks for viruses sends the mail twice (RFC 5321, 4.5.3.2.6). */
const SILENCE_TIMEOUT_MS = 10 * 60_000;
/** How long a login that worked stands for the next checks, and one that did not, in ms. */
const CHECKED_MS = { good: 30_000, bad: 5_000 };
/** Replies that are about us, not about the mail: authentication required, mechanism too weak, failed, encryption required (RFC 4954). */
const ABOUT_US = new Set([530, 534, 535, 538]);

/** Opens a pool of SMTP connections, each made when it is needed. Throws ConfigError if the file of the authority cannot be used. */
export function openSmtp(settings: SmtpSettings, from: From, stack: Stack): MailTransport {
  const { host, port, login, connections } = settings;
  const pool = createTransport({
    host,
    ...(port !== undefined && { port }),
    ...(login !== undefined && { auth: login }),
    ...encrypting(settings),
    pool: true,
    maxConnections: connections,
    // What is tried again, and when, is for us to say and to record.
    maxRequeues: 0,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
  });
  stack.defer("smtp", () => pool.close({ force: true }));
  const health = remember(() => pool.verify());
  const turn = makePace(settings.perSecond);
  return {
    name: "smtp",
    atOnce: connections,
    check: health.check,
    async send(mail, signal) {
      try {
        await turn(signal);
        await pool.sendMail({ ...toMime(mail, from), signal });
        health.tell(undefined);
        return { kind: "taken" };
      } catch (err) {
        if (!signal.aborted) health.tell(isAboutMail(err) ? undefined : err);
        return outcomeOf(err);
      }
    },
  };
}

/** nodemailer's words for how the connection is encrypted and who must be at its other end. */
function encrypting({ encryption, ca }: Pick<SmtpSettings, "encryption" | "ca">) {
  const modes: Record<Encryption, object> = {
    implicit: { secure: true },
    required: { requireTLS: true },
    opportunistic: { opportunisticTLS: true },
    never: { ignoreTLS: true },
  };
  return { secure: false, ...(ca !== undefined && { tls: { ca: readAuthority(ca) } }), ...modes[encryption] };
}

function readAuthority(file: string): Buffer {
  try {
    const pem = readFileSync(file);
    new X509Certificate(pem);
    return pem;
  } catch (err) {
    throw new ConfigError(`bad configuration: SMTP_CA cannot be used: ${err instanceof Error ? err.message : err}`);
  }
}

function outcomeOf(err: unknown): Outcome {
  const error = err instanceof Error ? err.message : String(err);
  return isForGood(err) ? { kind: "refused", error, bounce: readBounce(err) } : { kind: "deferred", error };
}

/** Whether the recipient or the message is at fault, and not the server or our way into it, such as the address that all mail is from. */
function isAboutMail(err: unknown): err is NodemailerError {
  const { code, command, responseCode = 0 }: NodemailerError = err instanceof Error ? err : new Error();
  return (code === "EENVELOPE" || code === "EMESSAGE") && command !== "MAIL FROM" && !ABOUT_US.has(responseCode);
}

/** Whether the server said 5xx of this mail (RFC 5321 4.2.1), or nodemailer that no server could take it. */
function isForGood(err: unknown): err is NodemailerError {
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
