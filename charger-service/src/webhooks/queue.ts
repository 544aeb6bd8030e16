import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import type { Nats } from "@chargemesh/kit/nats";
import { asOnlyOne } from "@chargemesh/kit/only-one";
import { transact } from "@chargemesh/kit/postgres";
import { rest } from "@chargemesh/kit/rest";
import type { JsMsg } from "nats";
import type { Db } from "../db/schema.ts";
import { allWebhooks, readCursor, writeCursor } from "../db/webhook.ts";
import { type QueuedEvent, queueDeliveries } from "../db/webhook-delivery.ts";
import type { WebhookRow } from "../db/webhook-tables.ts";
import { eventMatch } from "../domain/event-match.ts";
import { eventTypes } from "../live/event-types.ts";
import { type JournalState, journalAfter, journalState } from "../live/journal.ts";
import { inBatches } from "./batches.ts";

/** How many events are queued in a transaction at most. */
const BATCH_MAX = 100;
/** While there is no webhook the cursor is written after so many events only: what is read again after a restart is for nobody then, either. */
const UNWRITTEN_MAX = 500;
/** What NATS says of the consumer that reads for webhooks. */
const READER = "webhooks";
/** How long to wait after a failure, and to become the one that queues where another replica is it, in ms. */
const RETRY_MS = 1_000;

export interface QueueDeps {
  db: Db;
  nats: Nats;
  /** Is called when something has been queued. */
  wake(): void;
}

/**
 * Queues every event of the journal for the webhooks that want it, in order and each once, until the process stops. One replica at a time does:
 * the one that holds the advisory lock. Where it is, is in the database, written together with what it queues.
 */
export function queueEvents({ db, nats, wake }: QueueDeps, stack: Stack, log: Logger): void {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (nats.isConnected())
        await asOnlyOne(db, "webhook", (connection) => queueFrom({ db: connection, nats, wake }, stopping.signal, log)).catch(
          (err: unknown) => log.warn({ err }, "queueing events for webhooks was interrupted"),
        );
      await rest(RETRY_MS, stopping.signal);
    }
  };
  const running = run();
  stack.defer("webhook queue", () => {
    stopping.abort();
    return running;
  });
}

/** Queues what comes after the cursor, until `signal` says to stop. */
async function queueFrom({ db, nats, wake }: QueueDeps, signal: AbortSignal, log: Logger): Promise<void> {
  const journal = await journalState(nats, log);
  let written = await startOf(db, journal, log);
  const done = new AbortController();
  try {
    const messages = journalAfter(nats, journal.created, written, AbortSignal.any([signal, done.signal]), log, READER);
    for await (const batch of inBatches(messages, BATCH_MAX)) {
      const cursor = batch.at(-1)?.seq ?? written;
      const webhooks = await allWebhooks(db);
      if (webhooks.length === 0 && cursor - written < UNWRITTEN_MAX) continue;
      const queued = queuedEvents(webhooks, batch, log);
      await transact(db, async (tx) => {
        await queueDeliveries(tx, queued, false);
        await writeCursor(tx, { cursor, journal: journal.created });
      });
      written = cursor;
      if (queued.length > 0) wake();
    }
  } finally {
    done.abort();
  }
}

/**
 * Where to begin: behind the cursor; the first time, and where the journal is another than that of the cursor, at its beginning. What is older
 * than a webhook is not for it, so nothing is queued that should not be.
 */
async function startOf(db: Db, { created, first }: JournalState, log: Logger): Promise<number> {
  const known = await readCursor(db);
  const kept = Math.max(0, first - 1);
  const start = known?.journal === created ? Math.max(known.cursor, kept) : kept;
  if (known === undefined) await writeCursor(db, { cursor: start, journal: created });
  else if (known.journal === created && start > known.cursor)
    log.error({ cursor: known.cursor, start }, "events were not kept until they could be queued for webhooks");
  return start;
}

/** Those of these events that a webhook wants which is enabled, of the time since it was made. */
function queuedEvents(webhooks: readonly WebhookRow[], messages: readonly JsMsg[], log: Logger): QueuedEvent[] {
  const enabled = webhooks.flatMap((webhook) => (webhook.state === "ENABLED" ? { ...webhook, wants: wantedBy(webhook) } : []));
  return messages.flatMap((message) => {
    const event = readJournalled(message, log);
    if (event === undefined) return [];
    const time = new Date(event.time);
    const wanting = enabled.filter(({ create_time, wants }) => time >= create_time && wants(event));
    return wanting.length === 0 ? [] : { cursor: message.seq, event, webhooks: wanting };
  });
}

/** Whether a webhook wants an event, and may see it. */
export function wantedBy(webhook: WebhookRow): (event: CloudEvent) => boolean {
  const { types, charger_id, transaction_id, owner_role, owner_user_id } = webhook;
  return eventMatch(
    eventTypes,
    {
      types: types.length === 0 ? undefined : new Set(types),
      chargerId: charger_id ?? undefined,
      transactionId: transaction_id ?? undefined,
    },
    { role: owner_role, userId: owner_user_id },
  );
}

/** The event of a message of the journal. Undefined if it is none of ours: what others put into the journal holds up nobody. */
export function readJournalled(message: JsMsg, log: Logger): CloudEvent | undefined {
  const event = parse(message);
  if (event !== undefined) return event;
  log.error({ subject: message.subject, sequence: message.seq }, "what is no event was left out of what is queued for webhooks");
  return undefined;
}

function parse(message: JsMsg): CloudEvent | undefined {
  try {
    const event = JSON.parse(message.string()) as CloudEvent | null;
    const texts = [event?.id, event?.source, event?.type, event?.subject, event?.time];
    return event !== null && texts.every((one) => typeof one === "string") && !Number.isNaN(Date.parse(event.time)) ? event : undefined;
  } catch (err) {
    if (err instanceof SyntaxError) return undefined;
    throw err;
  }
}
