import { AckPolicy, type ConsumerConfig, type ConsumerMessages, DeliverPolicy, type JsMsg, nanos } from "nats";
import type { CloudEvent } from "./cloud-event.ts";
import { type EventStream, ensureStream, streamOfType } from "./event-streams.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import type { Nats } from "./nats.ts";
import { withRequestId } from "./request-id.ts";
import { rest } from "./rest.ts";

/** Handles an event. `deliveries` is how often it has come, this time included; the events in between are not held up. */
export type Handle = (event: CloudEvent, deliveries: number) => Promise<void>;

/** The delays after which an event that could not be handled comes again, in ms; the last one repeats. */
const REDELIVERY_MS = [1_000, 5_000, 15_000, 60_000];
const FETCH = { max_messages: 100, expires: 5_000 };
const RETRY_MS = 1_000;
/** How often we look whether there is a connection, in ms. */
const LOOK_MS = 50;

/**
 * Handles every event of one type, at least once, from now until the process stops: in order, but for those whose handling failed,
 * which come again later. `handle` must bear to see one twice, and runs as part of the request that caused the event.
 */
export function subscribe(nats: Nats, durable: string, type: string, handle: Handle, stack: Stack, log: Logger): void {
  const stream = streamOfType(type);
  const stopping = new AbortController();
  let fetched: ConsumerMessages | undefined;
  const consume = async (): Promise<void> => {
    await ensureConsumer(nats, stream, durable, `${type}.>`);
    const consumer = await nats.connection().jetstream().consumers.get(stream.name, durable);
    while (!stopping.signal.aborted) {
      fetched = await consumer.fetch(FETCH);
      if (stopping.signal.aborted) fetched.stop();
      for await (const message of fetched) await deliver(message, handle, log);
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      // Health says that the bus is away; here it is no news.
      const connected = await nats.check().then(
        () => true,
        () => false,
      );
      if (connected) await consume().catch((err: unknown) => log.warn({ err, durable }, "event consumer interrupted"));
      await rest(connected ? RETRY_MS : LOOK_MS, stopping.signal);
    }
  };
  const running = run();
  stack.defer(`consumer ${durable}`, async () => {
    stopping.abort();
    fetched?.stop();
    await running;
  });
}

/** Makes the durable consumer of one event type, from the first event that the stream still has. One that exists is left as it is. */
async function ensureConsumer(nats: Nats, stream: EventStream, durable: string, subject: string): Promise<void> {
  // Whoever says these events keeps their stream; a reader only sees to it that nothing is said before it is there.
  await ensureStream(nats, stream, "");
  const manager = await nats.connection().jetstreamManager();
  const config: Partial<ConsumerConfig> = {
    durable_name: durable,
    filter_subject: subject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(30_000),
  };
  await manager.consumers.add(stream.name, config);
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
