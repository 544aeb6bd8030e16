import { createInbox, headers, type Msg, type NatsConnection } from "nats";
import type { Nats } from "./nats.ts";

/** Something to publish to a stream. */
export interface Publication {
  subject: string;
  /** By which the stream knows it again. */
  id: string;
  text: string;
  /** Those with the same line are taken one after the other. Without one it has no order to keep. */
  line?: string;
}

/** What the stream says: where it is, now or already before; or why it is not. */
export type Receipt = { sequence: number } | Error;

/** How long a batch may wait for its next receipt, and how often we look whether NATS is still there to give them, in ms. */
const RECEIPTS_MS = 5_000;
const LOOK_MS = 100;

export interface Publisher {
  /**
   * Publishes all in their order, many at once, but each of a line only when the one before it is taken: one that is not holds back all of its
   * line behind it, also if it was lost where a cluster changed its leader. Answers their receipts in that order; never rejects.
   */
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
  let heardAt = 0;
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(err, message) {
      const token = message.subject;
      heardAt = performance.now();
      waiting.get(token)?.(err ?? receiptIn(message));
      waiting.delete(token);
    },
  });
  const send = ({ subject, id, text }: Publication): Promise<Receipt> =>
    new Promise((resolve) => {
      const all = headers();
      all.set("Nats-Msg-Id", id);
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
      heardAt = performance.now();
      const look = setInterval(() => {
        if (!nats.isConnected() || performance.now() - heardAt > RECEIPTS_MS) giveUp();
      }, LOOK_MS);
      try {
        return await Promise.all(await sendAll(publications, (publication) => send(publication).catch(toError)));
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

/** Begins to send all, in their order. What goes on at once is all that is in different lines. */
async function sendAll(
  publications: readonly Publication[],
  send: (publication: Publication) => Promise<Receipt>,
): Promise<Promise<Receipt>[]> {
  const lines = new Map<string, Promise<Receipt>>();
  const receipts: Promise<Receipt>[] = [];
  for (const publication of publications) {
    const { line } = publication;
    const before = line === undefined ? undefined : await lines.get(line);
    const receipt = before instanceof Error ? Promise.resolve(before) : send(publication);
    if (line !== undefined) lines.set(line, receipt);
    receipts.push(receipt);
  }
  return receipts;
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
