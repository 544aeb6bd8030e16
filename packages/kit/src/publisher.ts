import { createInbox, headers, type Msg, type NatsConnection } from "nats";
import type { Nats } from "./nats.ts";

/** Something to publish to a stream. */
export interface Publication {
  subject: string;
  /** By which the stream knows it again. */
  id: string;
  text: string;
  /** Where the stream must end for it to be taken: at the message with this id, or at this sequence. */
  after?: string | number;
}

/** What the stream says: where it is, now or already before; or why it is not. */
export type Receipt = { sequence: number } | Error;

/** How long a batch may wait for its receipts, and how often we look whether NATS is still there to give them, in ms. */
const RECEIPTS_MS = 5_000;
const LOOK_MS = 100;

export interface Publisher {
  /** Publishes all at once, in this order, and answers their receipts in it. Never rejects: what no receipt comes for is an Error. */
  publish(publications: readonly Publication[]): Promise<Receipt[]>;
  close(): void;
}

/**
 * Publishes to JetStream, as its own client does, but with one subscription and one timer for all receipts: a request each costs twice as much.
 * `service` names the inbox that it may listen to.
 */
export function openPublisher(nats: Nats, connection: NatsConnection, service: string): Publisher {
  const inbox = createInbox(`_INBOX.${service}`);
  const waiting = new Map<string, (receipt: Receipt) => void>();
  let count = 0;
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(err, message) {
      const token = message.subject;
      waiting.get(token)?.(err ?? receiptIn(message));
      waiting.delete(token);
    },
  });
  const send = ({ subject, id, text, after }: Publication): Promise<Receipt> =>
    new Promise((resolve) => {
      const all = headers();
      all.set("Nats-Msg-Id", id);
      if (typeof after === "string") all.set("Nats-Expected-Last-Msg-Id", after);
      if (typeof after === "number") all.set("Nats-Expected-Last-Sequence", String(after));
      const reply = `${inbox}.${++count}`;
      waiting.set(reply, resolve);
      connection.publish(subject, text, { headers: all, reply });
    });
  const giveUp = (): void => {
    for (const resolve of waiting.values()) resolve(new Error("NATS did not say whether it has an event"));
    waiting.clear();
  };
  return {
    async publish(publications) {
      const end = performance.now() + RECEIPTS_MS;
      const look = setInterval(() => {
        if (!nats.isConnected() || performance.now() > end) giveUp();
      }, LOOK_MS);
      try {
        return await Promise.all(publications.map((publication) => send(publication).catch(toError)));
      } finally {
        clearInterval(look);
      }
    },
    close() {
      giveUp();
      subscription.unsubscribe();
    },
  };
}

function toError(err: unknown): Error {
  return err instanceof Error ? err : new Error(String(err));
}

/** The receipt in an answer of JetStream's. One without content comes from the server, which knows of no stream that would take it. */
function receiptIn(message: Msg): Receipt {
  if (message.data.length === 0) return new Error(`no stream takes events (${message.headers?.code ?? "no answer"})`);
  const { seq, error } = message.json<{ seq?: number; error?: { description?: string } }>();
  return seq === undefined || error !== undefined ? new Error(error?.description ?? "no receipt") : { sequence: seq };
}
