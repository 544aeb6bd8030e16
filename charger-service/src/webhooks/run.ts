import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { rest } from "@chargemesh/kit/rest";
import type { SealedTexts } from "@chargemesh/kit/sealed-text";
import type { Db } from "../db/schema.ts";
import { type ClaimedDelivery, claimDeliveries, nextAttempts, releaseDeliveries } from "../db/webhook-sending.ts";
import type { Networks } from "./address.ts";
import { attempt } from "./attempt.ts";
import { choose } from "./choose.ts";
import { makeOrderedQueues } from "./ordered-queues.ts";
import { type Made, pauseOf, record } from "./record.ts";
import { resolveName } from "./resolve.ts";
import { makeSend } from "./send.ts";
import { makeSlots } from "./slots.ts";

export interface WebhookDeps {
  db: Db;
  clock: Clock;
  /** What seals the secrets of webhooks. */
  sealed: SealedTexts;
  /** Where addresses that are not public may be called, and plain http spoken. */
  allowedNetworks: Networks;
  /** How long an attempt may take, in ms. */
  timeoutMs: number;
  /** How long a stop may take, in ms. */
  drainMs: number;
}

/** How often is looked for what other replicas have queued, in ms. */
const LOOK_MS = 1_000;
/** How long to wait when the database has failed, in ms. */
const RETRY_MS = 1_000;
/** A lease outlasts the attempt by so much, in ms: there is its outcome to be written down. */
const LEASE_SPARE_MS = 15_000;

/**
 * Sends what is due to webhooks, beside all other replicas, until the stack closes; what is under way then has half of the drain to end, and the
 * rest is given back. `wake` says that there may be something new.
 */
export function runWebhooks(deps: WebhookDeps, stack: Stack, log: Logger): { wake(): void } {
  const { db, clock, timeoutMs, drainMs } = deps;
  const slots = makeSlots();
  const pauses = new Map<string, Date>();
  const stopping = new AbortController();
  const aborting = new AbortController();
  const bell = makeBell(stopping.signal);
  const queues = makeOrderedQueues(db);
  const deliver = makeDeliver(deps, pauses, aborting.signal, log);
  const begin = (claimed: readonly ClaimedDelivery[]): void => {
    for (const delivery of claimed) void slots.hold(delivery.id, delivery.webhookId, deliver(delivery)).finally(bell.ring);
  };
  /** Begins what may begin, and answers how long it is until there is more, as far as this replica knows, in ms. */
  const round = async (): Promise<number> => {
    const now = clock.now();
    const { loose, ordered, waitMs } = choose(await nextAttempts(db), slots, pauses, now);
    const claimant = { now, leaseTime: new Date(now.getTime() + timeoutMs + LEASE_SPARE_MS), except: slots.ids() };
    begin(await claimDeliveries(db, loose, claimant));
    for (const wanted of ordered) begin(await queues.claim(wanted, claimant));
    return Math.min(waitMs, queues.waitMs());
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const waitMs = await round().catch((err: unknown) => {
        log.warn({ err }, "webhooks have to wait");
        return RETRY_MS;
      });
      await bell.heard(Math.min(waitMs, LOOK_MS));
    }
  };
  const running = run();
  stack.defer("webhooks", async () => {
    stopping.abort();
    await running;
    await Promise.race([slots.empty(), rest(drainMs / 2, aborting.signal)]);
    aborting.abort();
    await slots.empty();
  });
  return { wake: bell.ring };
}

/** Attempts a delivery and writes down what came of it. Never fails; what `signal` stops is given back. */
function makeDeliver(
  deps: WebhookDeps,
  pauses: Map<string, Date>,
  signal: AbortSignal,
  log: Logger,
): (delivery: ClaimedDelivery) => Promise<void> {
  const { db } = deps;
  const send = makeSend({ ...deps, resolve: resolveName });
  // Whoever has been told is not told again because the database is away for a while.
  const write = async (made: Made): Promise<void> => {
    try {
      await record(db, made);
    } catch (err) {
      log.warn({ err, deliveryId: made.delivery.id }, "what came of a delivery could not be written down");
      signal.throwIfAborted();
      await rest(RETRY_MS, signal);
      await write(made);
    }
  };
  return async (delivery) => {
    try {
      const made = await attempt({ ...deps, send }, delivery, signal);
      const until = pauseOf(made);
      if (until !== undefined) pauses.set(delivery.webhookId, until);
      await write(made);
    } catch (err) {
      if (!signal.aborted) log.error({ err, deliveryId: delivery.id }, "a delivery could not be attempted");
      // If this fails, too, the lease ends by itself.
      await releaseDeliveries(db, [delivery.id]).catch((err: unknown) => log.warn({ err }, "a delivery could not be given back"));
    }
  };
}

/** Wakes one who waits. What rings while nobody waits is heard by the next one. */
function makeBell(signal: AbortSignal): { ring(): void; heard(ms: number): Promise<void> } {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async heard(ms) {
      await rest(ms, AbortSignal.any([rung.signal, signal]));
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}
