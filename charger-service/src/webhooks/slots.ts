/** So many attempts are under way at once, at most: each holds a socket and little else. */
const ATTEMPTS_MAX = 256;
/** And so many to one webhook. */
const ATTEMPTS_PER_WEBHOOK_MAX = 8;
/** From so many on, a webhook that has one under way gets no more: that leaves room for all others, however slow those are that have many. */
const ATTEMPTS_BEFORE_SHARING = ATTEMPTS_MAX / 2;

/** Attempts that are under way in this process. */
export interface Slots {
  /** The deliveries that are attempted. */
  ids(): number[];
  /** How many more attempts may be made to a webhook, if so many others are about to begin. */
  free(webhookId: string, beginning: number): number;
  /** How many are under way to a webhook. */
  taken(webhookId: string): number;
  /** Keeps a slot for as long as `attempt` takes, which must not fail, and resolves when it is free again. */
  hold(id: number, webhookId: string, attempt: Promise<void>): Promise<void>;
  /** Resolves when none is under way. */
  empty(): Promise<void>;
}

export function makeSlots(): Slots {
  const attempts = new Map<number, Promise<void>>();
  const perWebhook = new Map<string, number>();
  const taken = (webhookId: string): number => perWebhook.get(webhookId) ?? 0;
  const release = (id: number, webhookId: string): void => {
    attempts.delete(id);
    if (taken(webhookId) === 1) perWebhook.delete(webhookId);
    else perWebhook.set(webhookId, taken(webhookId) - 1);
  };
  return {
    ids: () => [...attempts.keys()],
    free(webhookId, beginning) {
      const total = attempts.size + beginning;
      if (total >= ATTEMPTS_BEFORE_SHARING) return total < ATTEMPTS_MAX && taken(webhookId) === 0 ? 1 : 0;
      return ATTEMPTS_PER_WEBHOOK_MAX - taken(webhookId);
    },
    taken,
    hold(id, webhookId, attempt) {
      perWebhook.set(webhookId, taken(webhookId) + 1);
      const held = attempt.finally(() => release(id, webhookId));
      attempts.set(id, held);
      return held;
    },
    async empty() {
      await Promise.all(attempts.values());
    },
  };
}
