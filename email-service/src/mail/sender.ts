import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { transact } from "@chargemesh/kit/postgres";
import { withRequestId } from "@chargemesh/kit/request-id";
import { rest } from "@chargemesh/kit/rest";
import type { Transaction } from "kysely";
import { claimDueMessages, deleteMessage, extendLeases } from "../db/message.ts";
import { type Failure, markDeferred, markFailed, markSent } from "../db/outcome.ts";
import type { Database, Db, MessageRow } from "../db/schema.ts";
import { messageFailed, messageSent } from "../events.ts";
import { makeBell } from "./bell.ts";
import { type Links, PREFERENCES_MARK, UNSUBSCRIBE_MARK, withoutTokens } from "./links.ts";
import { nextAttemptTime } from "./schedule.ts";
import type { Mail, MailTransport, Outcome } from "./transport.ts";

/** How often we look for mail that is due again, and for that of a replica that died, in ms. New mail does not wait for this. */
const POLL_MS = 1_000;
/** How long a mail is left to who took it, in ms, unless they say again that they are at it. */
const LEASE_MS = 30_000;
const EXTEND_MS = LEASE_MS / 3;
/** How long to wait before an outcome that could not be recorded is recorded again, in ms. */
const RECORD_AGAIN_MS = 1_000;
/** How long a stop waits for mails that are on their way, in ms. Those that are cut are sent again after the next start. */
const STOP_GRACE_MS = 3_000;
/** What a mail server says may have any length; this much is kept. */
const ERROR_CHARACTERS_MAX = 1_000;

/** What sends the queued messages. */
export interface Sender {
  /** Says that there is a message to send now. */
  wake(): void;
}

/**
 * Sends what is queued until the process stops, beside the senders of other replicas: each message is claimed by one of them.
 *
 * A message becomes SENT after the mail server has said 250. Killed in between, we leave it QUEUED, and when its lease ends it is sent
 * once more: SMTP has no way to ask what became of the first. So a mail is never lost, and doubled only by a kill or a lost connection in
 * those milliseconds; both copies have the same Message-ID, by which most mailboxes show one.
 */
export function runSender(db: Db, transport: MailTransport, links: Links, clock: Clock, stack: Stack, log: Logger): Sender {
  const bell = makeBell();
  const sending = new Map<string, Promise<void>>();
  const cut = new AbortController();
  let stopping = false;
  const leaseTime = (): Date => new Date(clock.now().getTime() + LEASE_MS);

  const send = async (message: MessageRow): Promise<void> => {
    const mail = toMail(message, links);
    const outcome = mail === undefined ? UNREADABLE : await transport.send(mail, cut.signal);
    const attempt = { message: message.id, attempt: message.attempts };
    if (outcome.kind === "taken") log.info(attempt, "mail sent");
    else log.warn({ ...attempt, error: withoutTokens(outcome.error) }, `mail ${outcome.kind}`);
    for (;;) {
      try {
        return await record(db, message, outcome, clock.now());
      } catch (err) {
        log.warn({ err, message: message.id }, "the outcome of a mail could not be recorded");
        // Then the lease ends and the mail is sent once more.
        if (cut.signal.aborted) return;
        await rest(RECORD_AGAIN_MS, cut.signal);
      }
    }
  };
  const begin = (message: MessageRow): void => {
    const sent = withRequestId(message.request_id ?? message.id, () => send(message)).finally(() => {
      sending.delete(message.id);
      bell.ring();
    });
    sending.set(message.id, sent);
  };
  const sendDue = async (): Promise<void> => {
    const room = transport.atOnce - sending.size;
    const due = room === 0 ? [] : await claimDueMessages(db, clock.now(), leaseTime(), [...sending.keys()], room);
    for (const message of due) begin(message);
    if (due.length < transport.atOnce) await bell.wait(POLL_MS);
  };
  const run = async (): Promise<void> => {
    while (!stopping) {
      await sendDue().catch((err: unknown) => {
        log.warn({ err }, "queued mail could not be looked up");
        return bell.wait(POLL_MS);
      });
    }
  };
  const running = run();
  const extending = setInterval(() => {
    if (sending.size === 0) return;
    extendLeases(db, [...sending.keys()], leaseTime()).catch((err: unknown) => log.warn({ err }, "leases could not be extended"));
  }, EXTEND_MS);
  stack.defer("mail sender", async () => {
    stopping = true;
    bell.ring();
    await running;
    const timer = setTimeout(() => cut.abort(), STOP_GRACE_MS);
    await Promise.all(sending.values());
    clearTimeout(timer);
    clearInterval(extending);
  });
  return { wake: bell.ring };
}

async function record(db: Db, message: MessageRow, outcome: Outcome, now: Date): Promise<void> {
  if (outcome.kind === "taken") return settle(db, message, undefined, now);
  const { id, attempts, give_up_time } = message;
  const error = fit(outcome.error);
  const next = outcome.kind === "deferred" ? nextAttemptTime(attempts, give_up_time, now) : undefined;
  if (next !== undefined) return markDeferred(db, id, error, next);
  const bounce = outcome.kind === "refused" ? outcome.bounce : undefined;
  return settle(db, message, { error, bounce: bounce && { ...bounce, text: fit(bounce.text) } }, now);
}

/** Keeps what became of a mail in the end, and tells of it. It is told once, however many replicas have sent it. */
function settle(db: Db, message: MessageRow, failure: Failure | undefined, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    if (!(await keepOutcome(tx, message, failure, now))) return;
    await (failure === undefined ? messageSent(tx, message) : messageFailed(tx, message, failure.bounce));
  });
}

/** False if it was known, or the mail is no more. */
function keepOutcome(tx: Transaction<Database>, { id, is_forgotten_once_done }: MessageRow, failure: Failure | undefined, now: Date) {
  if (is_forgotten_once_done) return deleteMessage(tx, id);
  return failure === undefined ? markSent(tx, id, now) : markFailed(tx, id, failure);
}

/** What a mail server says, as it is kept: one line, and no secret of the mail that it may have repeated. */
function fit(text: string): string {
  return withoutTokens(text)
    .replace(/\p{C}+/gu, " ")
    .slice(0, ERROR_CHARACTERS_MAX);
}

/** After MESH_SECRET has changed. */
const UNREADABLE: Outcome = { kind: "refused", error: "the link of this mail cannot be opened any more", bounce: undefined };

/** Undefined if it has a link that cannot be opened. */
function toMail(message: MessageRow, links: Links): Mail | undefined {
  const { id, to_address, subject, create_time, template, sealed_link, user_id, category } = message;
  const unsubscribeUrl = user_id === null || category === null ? undefined : links.unsubscribeUrl({ userId: user_id, category });
  const put = (content: string): string | undefined => {
    const whole =
      unsubscribeUrl === undefined
        ? content
        : content.replaceAll(UNSUBSCRIBE_MARK, () => unsubscribeUrl).replaceAll(PREFERENCES_MARK, () => links.preferencesUrl);
    return sealed_link === null ? whole : links.put(whole, sealed_link);
  };
  const text = put(message.text);
  const html = message.html === null ? null : put(message.html);
  if (text === undefined || html === undefined) return undefined;
  return { id, to: to_address, subject, text, html, createTime: create_time, template: template ?? undefined, unsubscribeUrl };
}
