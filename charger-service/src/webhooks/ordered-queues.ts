import type { Db } from "../db/schema.ts";
import { type Claimant, type ClaimedDelivery, claimInOrder, type Wanted } from "../db/webhook-sending.ts";

/** A look that takes longer is at very many subjects, none of which is due, in ms. */
const LONG_LOOK_MS = 50;
/** After that it is not looked again for so many times as long, so that others are not kept waiting. */
const REST_FACTOR = 10;

/** The queues of webhooks with order, each gone round subject by subject, so that none is always the last. */
export interface OrderedQueues {
  claim(wanted: Wanted, claimant: Claimant): Promise<ClaimedDelivery[]>;
  /** How long it is until one can be looked at again that could not be now, in ms. */
  waitMs(): number;
}

export function makeOrderedQueues(db: Db): OrderedQueues {
  /** Where to go on, by webhook, where it is not at the beginning. */
  const afters = new Map<string, string>();
  /** Until when webhooks are not looked at, in ms of the process. */
  const rests = new Map<string, number>();

  const claim = async (wanted: Wanted, claimant: Claimant): Promise<ClaimedDelivery[]> => {
    const { webhookId, free } = wanted;
    const after = afters.get(webhookId) ?? "";
    const first = await claimInOrder(db, wanted, after, claimant);
    if (first.length >= free) {
      const subjects = first.map(({ event }) => event.subject).sort();
      afters.set(webhookId, subjects.at(-1) ?? "");
      return first;
    }
    afters.delete(webhookId);
    return after === "" ? first : [...first, ...(await claimInOrder(db, { webhookId, free: free - first.length }, "", claimant))];
  };
  return {
    async claim(wanted, claimant) {
      const start = performance.now();
      if ((rests.get(wanted.webhookId) ?? 0) > start) return [];
      const claimed = await claim(wanted, claimant);
      const end = performance.now();
      if (claimed.length < wanted.free && end - start > LONG_LOOK_MS) rests.set(wanted.webhookId, end + REST_FACTOR * (end - start));
      return claimed;
    },
    waitMs() {
      const now = performance.now();
      for (const [webhookId, until] of rests) if (until <= now) rests.delete(webhookId);
      return Math.min(...rests.values()) - now;
    },
  };
}
