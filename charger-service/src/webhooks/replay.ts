import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import type { Nats } from "@chargemesh/kit/nats";
import { transact } from "@chargemesh/kit/postgres";
import { keepDoing } from "@chargemesh/kit/rounds";
import type { JsMsg } from "nats";
import type { Db } from "../db/schema.ts";
import { hasReplays, lockReplay, updateReplay, webhookById } from "../db/webhook.ts";
import { hasPending, type QueuedEvent, queueDeliveries } from "../db/webhook-delivery.ts";
import type { WebhookReplayRow, WebhookRow } from "../db/webhook-tables.ts";
import { type JournalState, journalAfter, journalState } from "../live/journal.ts";
import { type QueueDeps, readJournalled, wantedBy } from "./queue.ts";

/** What NATS says of the consumer that reads for replays. */
const READER = "replays for webhooks";
/** How often is looked for replays that are to go on, in ms. */
const LOOK_MS = 500;
/** How many events are read in a step. */
const STEP_MAX = 500;
/** How long a step takes over reading, in ms: where NATS is away, or what is last was taken out by hand, the next one goes on. */
const STEP_MS = 5_000;
/** While so many deliveries of its webhook wait, a replay does, too: what happens now has its turn before long, and the table stays small. */
const PENDING_MAX = 1_000;

/** Goes on with replays, of whatever replica, until the process stops: each a step at a time, which is queued and noted in one transaction. */
export function keepReplays({ db, nats, wake }: QueueDeps, stack: Stack, log: Logger): void {
  const round = async (): Promise<void> => {
    if (!nats.isConnected() || !(await hasReplays(db))) return;
    const waiting: string[] = [];
    let replay: WebhookReplayRow | undefined;
    do {
      replay = await transact(db, async (tx) => {
        const found = await lockReplay(tx, waiting);
        if (found === undefined) return undefined;
        const webhook = await webhookById(tx, found.webhook_id);
        const isReady = webhook?.state === "ENABLED" && !(await hasPending(tx, webhook.id, PENDING_MAX));
        if (isReady) await step(tx, nats, webhook, found, log);
        else waiting.push(found.webhook_id);
        return found;
      });
      if (replay !== undefined) wake();
    } while (replay !== undefined);
  };
  keepDoing("webhook replays", { everyMs: LOOK_MS }, round, stack, log);
}

async function step(tx: Db, nats: Nats, webhook: WebhookRow, replay: WebhookReplayRow, log: Logger): Promise<void> {
  const journal = await journalState(nats, log);
  // What is not kept any more is left out; a journal that was made anew meanwhile ends where it ends.
  const start = Math.max(replay.cursor, journal.first - 1);
  const end = Math.min(replay.end_cursor, journal.last);
  const { messages, isAll } = await messagesOf(nats, journal, start, end, log);
  const wants = wantedBy(webhook);
  const seen = new Set<string>();
  const queued = messages.flatMap((message): QueuedEvent[] => {
    const event = readJournalled(message, log);
    // What the journal has twice, because NATS had forgotten that it had it, is no reason to send it twice.
    if (event === undefined || !wants(event) || seen.has(event.id)) return [];
    seen.add(event.id);
    const time = new Date(event.time);
    const isMeant = time >= replay.start_time && time < replay.end_time && (replay.types.length === 0 || replay.types.includes(event.type));
    return isMeant ? [{ cursor: message.seq, event, webhooks: [webhook] }] : [];
  });
  const events = replay.events + (await queueDeliveries(tx, queued, true));
  await updateReplay(tx, webhook.id, { cursor: isAll ? end : (messages.at(-1)?.seq ?? start), events, state: isAll ? "ENDED" : "RUNNING" });
}

/** What the journal has after `start` up to `end`, as much as makes a step, and whether that is all. */
async function messagesOf(
  nats: Nats,
  { created }: JournalState,
  start: number,
  end: number,
  log: Logger,
): Promise<{ messages: JsMsg[]; isAll: boolean }> {
  const messages: JsMsg[] = [];
  if (start >= end) return { messages, isAll: true };
  for await (const message of journalAfter(nats, created, start, AbortSignal.timeout(STEP_MS), log, READER)) {
    if (message.seq <= end) messages.push(message);
    if (message.seq >= end) return { messages, isAll: true };
    if (messages.length === STEP_MAX) break;
  }
  return { messages, isAll: false };
}
