import type { NextAttempt, Wanted } from "../db/webhook-sending.ts";
import type { Slots } from "./slots.ts";

/** What may begin. */
export interface Chosen {
  /** For webhooks without order, and with it. */
  loose: Wanted[];
  ordered: Wanted[];
  /** How long it is until the next may, in ms. */
  waitMs: number;
}

/** Of webhooks that have something to do, those that may begin now: they are due, not to be left alone (`pauses`), and there is room for them. */
export function choose(next: readonly NextAttempt[], slots: Slots, pauses: Map<string, Date>, now: Date): Chosen {
  const chosen: Chosen = { loose: [], ordered: [], waitMs: Number.POSITIVE_INFINITY };
  let beginning = 0;
  for (const [webhookId, until] of pauses) if (until <= now) pauses.delete(webhookId);
  for (const { webhookId, time, inOrder, isFailing } of next) {
    const laterMs = Math.max(time.getTime(), pauses.get(webhookId)?.getTime() ?? 0) - now.getTime();
    if (laterMs > 0) {
      chosen.waitMs = Math.min(chosen.waitMs, laterMs);
      continue;
    }
    // One at a time is enough to hear whether a receiver has recovered.
    const free = Math.min(slots.free(webhookId, beginning), isFailing ? 1 - slots.taken(webhookId) : Number.POSITIVE_INFINITY);
    if (free <= 0) continue;
    (inOrder ? chosen.ordered : chosen.loose).push({ webhookId, free });
    beginning += free;
  }
  return chosen;
}
