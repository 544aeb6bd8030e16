import * as authEvents from "@chargemesh/contracts/auth/v1/events";
import { WatchEventsResponse } from "@chargemesh/contracts/charger/v1/event_service";
import * as chargerEvents from "@chargemesh/contracts/charger/v1/events";
import * as emailEvents from "@chargemesh/contracts/email/v1/events";
import type { Any } from "@chargemesh/contracts/google/protobuf/any";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import type { Logger } from "@chargemesh/kit/log";
import type { JsMsg } from "nats";

/** An event of the journal, for all who watch. */
export interface ToldEvent {
  readonly event: CloudEvent;
  /** The event as a message, made once for all who want it. Undefined if its data are not what its type says. */
  response(): WatchEventsResponse | undefined;
}

/** Reads a message of the journal. Undefined if it is no event of ours: what others put into the journal does not end a stream. */
export function readTold(message: JsMsg, log: Logger): ToldEvent | undefined {
  const { seq: sequence, subject } = message;
  const leftOut = (err: unknown): undefined => void log.error({ err, subject, sequence }, "what is no event was left out of a stream");
  try {
    const event = readEvent(message);
    let response: { made: WatchEventsResponse | undefined } | undefined;
    const make = (): WatchEventsResponse | undefined => {
      try {
        return toResponse(event, sequence);
      } catch (err) {
        return leftOut(err);
      }
    };
    return {
      event,
      response() {
        response ??= { made: make() };
        return response.made;
      },
    };
  } catch (err) {
    return leftOut(err);
  }
}

function readEvent(message: JsMsg): CloudEvent {
  const event = message.json<CloudEvent>();
  const { id, source, type, subject, time, requestid = "" } = event;
  if ([id, source, type, subject, requestid].some((one) => typeof one !== "string") || Number.isNaN(Date.parse(time)))
    throw new Error("no CloudEvent");
  return event;
}

function toResponse({ id, source, type, subject, time, data, requestid = "" }: CloudEvent, sequence: number): WatchEventsResponse {
  const event = { id, source, type, subject, time: new Date(time), data: toAny(type, data), cursor: String(sequence), traceId: requestid };
  return { event };
}

/** A message of ours in either form. */
interface Codec {
  readonly $type: string;
  fromJSON(object: unknown): object;
  encode(message: object): { finish(): Uint8Array };
}

function isCodec(exported: unknown): exported is Codec {
  return typeof exported === "object" && exported !== null && "$type" in exported && "fromJSON" in exported && "encode" in exported;
}

const exported: unknown[] = [authEvents, chargerEvents, emailEvents].flatMap((events) => Object.values(events));
const codecs: ReadonlyMap<string, Codec> = new Map(exported.filter(isCodec).map((codec) => [codec.$type, codec]));

function toAny(type: string, data: unknown): Any | undefined {
  const codec = codecs.get(type);
  if (codec === undefined) return undefined;
  return { typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(codec.encode(codec.fromJSON(data)).finish()) };
}

const encoded = new WeakMap<WatchEventsResponse, Buffer>();

/** The bytes of a response, which are made once for all who watch. */
export function encodeResponse(response: WatchEventsResponse): Buffer {
  const known = encoded.get(response);
  if (known !== undefined) return known;
  const bytes = Buffer.from(WatchEventsResponse.encode(response).finish());
  encoded.set(response, bytes);
  return bytes;
}
