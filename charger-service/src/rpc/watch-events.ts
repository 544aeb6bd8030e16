import type { Event } from "@chargemesh/contracts/charger/v1/event";
import type { WatchEventsRequest, WatchEventsResponse } from "@chargemesh/contracts/charger/v1/event_service";
import type { Any } from "@chargemesh/contracts/google/protobuf/any";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { AppError } from "@chargemesh/kit/errors";
import { streamOf } from "@chargemesh/kit/event-streams";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { Logger } from "@chargemesh/kit/log";
import type { Nats } from "@chargemesh/kit/nats";
import { rest } from "@chargemesh/kit/rest";
import { AckPolicy, type Consumer, type ConsumerMessages, DeliverPolicy, type JsMsg, NatsError, nanos } from "nats";
import { eventMessages } from "../events.ts";
import type { RpcDeps } from "./deps.ts";

const stream = streamOf("chargemesh.charger.v1");
/** How many events wait here for a slow reader; the others wait in the stream. A request for more is renewed after so many ms. */
const FETCH = { max_messages: 100, expires: 5_000 };
/** How long NATS keeps our place for us while we do not ask, in ms. */
const INACTIVE_MS = 30_000;
const RETRY_MS = 500;

/** Everything that happens from now on, in order and without a gap, also over a loss of NATS. UNAVAILABLE if NATS is away at the start. */
export const watchEvents =
  ({ nats, log }: RpcDeps) =>
  async (_request: WatchEventsRequest, { signal }: Call): Promise<AsyncIterable<WatchEventsResponse>> =>
    eventsAfter(await lastSequence(nats), nats, signal, log);

async function* eventsAfter(sequence: number, nats: Nats, signal: AbortSignal, log: Logger): AsyncGenerator<WatchEventsResponse> {
  let last = sequence;
  while (!signal.aborted) {
    try {
      for await (const message of messagesAfter(nats, last, signal, log)) {
        last = message.seq;
        const event = readEvent(message, log);
        if (event !== undefined) yield { event };
      }
    } catch (err) {
      if (!isNatsAway(err)) throw err;
      log.warn({ err }, "event stream interrupted");
      await rest(RETRY_MS, signal);
    }
  }
}

/** Where the stream ends now. One that nobody has made yet ends before its first event. */
async function lastSequence(nats: Nats): Promise<number> {
  try {
    const manager = await nats.connection().jetstreamManager({ checkAPI: false });
    return (await manager.streams.info(stream.name)).state.last_seq;
  } catch (cause) {
    if (!(cause instanceof NatsError)) throw cause;
    if (cause.api_error?.code === 404) return 0;
    throw new AppError("unavailable", "NATS_UNAVAILABLE", "The message bus is not available. Try again.", { cause });
  }
}

function isNatsAway(err: unknown): boolean {
  return err instanceof NatsError || (err instanceof AppError && err.code === "unavailable");
}

/** What the stream holds after `sequence`, then what comes. Ends when one was lost on its way to us; whoever reads begins again after the last one. */
async function* messagesAfter(nats: Nats, sequence: number, signal: AbortSignal, log: Logger): AsyncGenerator<JsMsg> {
  const consumer = await consumerAfter(nats, sequence);
  let delivered = 0;
  try {
    while (!signal.aborted) {
      for await (const message of fetched(await consumer.fetch(FETCH), signal)) {
        if (message.info.deliverySequence !== ++delivered) return;
        yield message;
      }
      // What was on its way while the connection broke does not come again, and nothing need ever follow it to tell us.
      if (!signal.aborted && (await consumer.info()).delivered.consumer_seq !== delivered) return;
    }
  } finally {
    // NATS forgets it by itself, but later. What keeps us from saying so has made it forget already.
    void consumer.delete().catch((err: unknown) => log.debug({ err }, "could not delete a consumer"));
  }
}

/** The messages of one request, until it ends or `signal` says to stop. */
async function* fetched(messages: ConsumerMessages, signal: AbortSignal): AsyncGenerator<JsMsg> {
  const stop = (): void => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    yield* messages;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function consumerAfter(nats: Nats, sequence: number): Promise<Consumer> {
  const manager = await nats.connection().jetstreamManager({ checkAPI: false });
  const { name } = await manager.consumers.add(stream.name, {
    ack_policy: AckPolicy.None,
    // By sequence, not "new": one that is made again after a loss must not leave out what came in between.
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence + 1,
    inactive_threshold: nanos(INACTIVE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  return nats.connection().jetstream().consumers.get(stream.name, name);
}

/** A message of ours in either form. */
interface Codec {
  fromJSON(object: unknown): object;
  encode(message: object): { finish(): Uint8Array };
}

const codecs: ReadonlyMap<string, Codec> = new Map<string, Codec>(Object.entries(eventMessages));

/** Undefined if it is none of ours: what others put into the stream does not end it. */
function readEvent(message: JsMsg, log: Logger): Event | undefined {
  try {
    return toEvent(message);
  } catch (err) {
    log.error({ err, subject: message.subject, sequence: message.seq }, "what is no event was left out of a stream");
    return undefined;
  }
}

function toEvent(message: JsMsg): Event {
  const { id, source, type, subject, time, data, requestid = "" } = message.json<CloudEvent>();
  if ([id, source, type, subject, requestid].some((one) => typeof one !== "string") || Number.isNaN(Date.parse(time)))
    throw new Error("no CloudEvent");
  return { id, source, type, subject, time: new Date(time), data: toAny(type, data), cursor: String(message.seq), traceId: requestid };
}

/** Undefined if a newer replica than this one says something that this one does not know. */
function toAny(type: string, data: unknown): Any | undefined {
  const codec = codecs.get(type);
  if (codec === undefined) return undefined;
  return { typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(codec.encode(codec.fromJSON(data)).finish()) };
}
