import { AckPolicy, type Consumer, type ConsumerMessages, DeliverPolicy, type JsMsg, nanos } from "nats";
import type { CloudEvent } from "./cloud-event.ts";
import { ensureStream, isNotFound, streamOfType } from "./event-streams.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import type { Nats } from "./nats.ts";
import { withRequestId } from "./request-id.ts";
import { rest } from "./rest.ts";

/** Handles an event. `deliveries` is how often it has come, this time included; the events in between are not held up. */
export type Handle = (event: CloudEvent, deliveries: number) => Promise<void>;

/** The delays after which an event that could not be handled comes again, in ms; the last one repeats. */
const REDELIVERY_MS = [1_000, 5_000, 15_000, 60_000];
/** How long a process may take over an event before another gets it, in ms: so long wait those of one that was killed. */
const ACK_WAIT_MS = 30_000;
const FETCH = { max_messages: 100, expires: 5_000 };
const RETRY_MS = 1_000;
/** How often we look whether there is a connection, in ms. */
const LOOK_MS = 50;

/**
 * Handles every event of one type, at least once, from now until the process stops: in order, but for those whose handling failed or that a
 * killed process had in hand, which come again later. `handle` must bear to see one twice, and runs as part of the request that caused the event.
 */
export function subscribe(nats: Nats, durable: string, type: string, handle: Handle, stack: Stack, log: Logger): void {
  const stopping = new AbortController();
  const { signal } = stopping;
  let fetched: ConsumerMessages | undefined;
  const consume = async (): Promise<void> => {
    const consumer = await ensureConsumer(nats, durable, type, log);
    while (!signal.aborted) {
      fetched = await consumer.fetch(FETCH);
      if (signal.aborted) fetched.stop();
      // What was fetched and not begun when we stop is another's at once.
      for await (const message of fetched) await (signal.aborted ? message.nak() : deliver(message, handle, log));
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      // Health says that the bus is away; here it is no news.
      const isConnected = nats.isConnected();
      if (isConnected) await consume().catch((err: unknown) => log.warn({ err, durable }, "event consumer interrupted"));
      await rest(isConnected ? RETRY_MS : LOOK_MS, signal);
    }
  };
  const running = run();
  stack.defer(`consumer ${durable}`, async () => {
    stopping.abort();
    fetched?.stop();
    await running;
  });
}

/** The durable consumer of one event type, from the first event that the stream still has. One that is there goes on where it was, as it should be. */
async function ensureConsumer(nats: Nats, durable: string, type: string, log: Logger): Promise<Consumer> {
  const stream = streamOfType(type);
  // Whoever says these events keeps their stream; a reader only sees to it that nothing is said before it is there.
  await ensureStream(nats, stream, "", log);
  const { consumers } = await nats.connection().jetstreamManager({ checkAPI: false });
  const config = { filter_subject: `${type}.>`, ack_wait: nanos(ACK_WAIT_MS) };
  const there = await consumers.info(stream.name, durable).catch((err: unknown) => {
    if (isNotFound(err)) return undefined;
    throw err;
  });
  if (there === undefined)
    await consumers.add(stream.name, {
      ...config,
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
    });
  else if (there.config.filter_subject !== config.filter_subject || there.config.ack_wait !== config.ack_wait)
    await consumers.update(stream.name, durable, config);
  return nats.connection().jetstream().consumers.get(stream.name, durable);
}

async function deliver(message: JsMsg, handle: Handle, log: Logger): Promise<void> {
  const event = parse(message);
  if (event === undefined) {
    log.error({ subject: message.subject }, "an event that is no CloudEvent was dropped");
    message.term();
    return;
  }
  await withRequestId(event.requestid ?? event.id, async () => {
    const deliveries = message.info.redeliveryCount;
    try {
      await handle(event, deliveries);
      message.ack();
    } catch (err) {
      const delay = REDELIVERY_MS[Math.min(deliveries, REDELIVERY_MS.length) - 1] ?? RETRY_MS;
      log.warn({ err, subject: message.subject, deliveries, delay }, "an event could not be handled and will come again");
      message.nak(delay);
    }
  });
}

function parse(message: JsMsg): CloudEvent | undefined {
  try {
    const event = JSON.parse(message.string()) as Partial<CloudEvent> | null;
    return typeof event?.id === "string" ? (event as CloudEvent) : undefined;
  } catch (err) {
    if (err instanceof SyntaxError) return undefined;
    throw err;
  }
}
