import { once } from "node:events";
import { Readable } from "node:stream";
import type { ClientReadableStream } from "@grpc/grpc-js";
import type { FastifyReply } from "fastify";
import type { Answer } from "./answer.ts";
import type { ErrorBody } from "./errors.ts";
import { asIs, type Call } from "./unary.ts";

/** How a stream of messages is written over HTTP. */
export interface StreamFormat {
  readonly contentType: string;
  /** Sent at once, so that the client sees the stream open; "" for nothing. */
  readonly opening: string;
  message(message: Buffer): string | Buffer;
  /** The last thing of a stream that failed after it began. Without it a stream that does not come to its end breaks off. */
  error?(body: ErrorBody): string;
  /** Sent when nothing else was, so that neither end nor a proxy takes the connection for dead; "" for nothing. */
  readonly heartbeat: string;
}

/** Fields of the message that become fields of a server-sent event. */
export interface EventFields {
  readonly id: ((message: Buffer) => string | undefined) | undefined;
  readonly event: ((message: Buffer) => string | undefined) | undefined;
}

export const EVENT_STREAM = "text/event-stream";
export const LINES = ["application/x-ndjson", "application/ndjson", "application/jsonl"] as const;

/** A service that has neither said a word nor failed by then is taken to have accepted the call, and the client sees the stream open. */
const OPEN_AFTER_MS = 1000;

/** Messages that have come go out together, up to about so many characters: to write to a socket costs more than all that is done to one. */
const PIECE_MAX = 16_384;

/** Server-sent events (WHATWG HTML, 9.2). */
export function eventStream(json: (message: Buffer) => string, { id, event }: EventFields): StreamFormat {
  const line = (name: string, value: string | undefined): string => (value && !/[\r\n\0]/.test(value) ? `${name}: ${value}\n` : "");
  return {
    contentType: `${EVENT_STREAM}; charset=utf-8`,
    opening: ": open\n\n",
    message: (message) => `${line("id", id?.(message))}${line("event", event?.(message))}data: ${json(message)}\n\n`,
    error: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
    heartbeat: ": heartbeat\n\n",
  };
}

/** A message a line. Empty lines say nothing: one opens the stream, others are heartbeats. */
export function lines(json: (message: Buffer) => string, contentType: string): StreamFormat {
  return {
    contentType,
    opening: "\n",
    message: (message) => `${json(message)}\n`,
    error: (body) => `${JSON.stringify(body)}\n`,
    heartbeat: "\n",
  };
}

type RawAnswer = Extract<Answer, { kind: "raw" }>;

/** Streams of google.api.HttpBody: their data, one after another; the first one says what it is. No part must be taken for the whole. */
function rawStream({ body }: RawAnswer, first: Buffer | undefined): StreamFormat {
  const contentType = first === undefined ? "application/octet-stream" : body(first).contentType;
  return { contentType, opening: "", message: (message) => body(message).data, heartbeat: "" };
}

export interface StreamSettings {
  readonly heartbeatMs: number;
  /** The streams that are open; each function ends one, as if there were no more to say. */
  readonly open: Set<() => void>;
  /** What is told of a failure. */
  errorBody(error: Error): ErrorBody;
}

/** The messages of a call, and how they ended if they have. */
interface Messages {
  readonly source: ClientReadableStream<Buffer>;
  failure: Error | undefined;
  ended: boolean;
}

/**
 * Calls, and answers with the messages as they come. A slow client slows the service down; a client that is gone cancels the call. A call
 * that fails before it began throws its ServiceError, so that it becomes an answer with a status; later, the failure is told in the stream.
 */
export async function answerStream(
  call: Call,
  format: StreamFormat | RawAnswer,
  settings: StreamSettings,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { client, path, message, metadata, options, returned } = call;
  const source: ClientReadableStream<Buffer> = client.makeServerStreamRequest(path, asIs, asIs, message, metadata, options);
  source.on("metadata", (headers) => returned(headers, reply));
  const messages: Messages = { source, failure: undefined, ended: false };
  source.on("error", (error: Error) => {
    messages.failure = error;
  });
  source.once("end", () => {
    messages.ended = true;
  });
  reply.raw.once("close", () => source.cancel());
  const written = "contentType" in format ? format : rawStream(format, await firstOf(messages));
  if (written === format) await opened(messages);
  reply.headers({ "content-type": written.contentType, "cache-control": "no-store, no-transform", "x-accel-buffering": "no" });
  return reply.send(streamBody(messages, written, settings));
}

/** Waits until the service has accepted the call, or seems to. Throws if it refuses. */
async function opened(messages: Messages): Promise<void> {
  const { source } = messages;
  const timeout = AbortSignal.timeout(OPEN_AFTER_MS);
  const signs = ["metadata", "readable", "status"].map((event) => once(source, event, { signal: timeout }));
  try {
    await Promise.race(signs);
  } catch (error) {
    if (!timeout.aborted) throw error;
  }
  // A refusal is the end of the messages first, and an error right after it.
  if (messages.failure !== undefined && source.readableLength === 0) throw messages.failure;
}

/** The first message, which stays to be read; undefined if there is none. Throws if the call is refused. */
async function firstOf(messages: Messages): Promise<Buffer | undefined> {
  const { source } = messages;
  await once(source, "readable");
  const first: unknown = source.read();
  if (first instanceof Buffer) {
    source.unshift(first);
    return first;
  }
  if (messages.failure !== undefined) throw messages.failure;
  return undefined;
}

function streamBody(messages: Messages, format: StreamFormat, { heartbeatMs, open, errorBody }: StreamSettings): Readable {
  const { source } = messages;
  let wanting = false;
  let isOver = false;
  const body = new Readable({
    read: () => {
      wanting = true;
      pump();
    },
    destroy: (error, done) => {
      isOver = true;
      clearInterval(heart);
      open.delete(stop);
      done(error);
    },
  });
  const finish = (last = ""): void => {
    if (isOver || body.readableEnded || body.destroyed) return;
    isOver = true;
    clearInterval(heart);
    source.off("readable", pumpSoon);
    if (last !== "") body.push(last);
    body.push(null);
  };
  const fail = (error: Error): void => {
    const told = errorBody(error);
    if (format.error === undefined) body.destroy(error);
    else finish(format.error(told));
  };
  const stop = (): void => (format.error === undefined ? void body.destroy() : finish());
  const end = (): void => (messages.failure === undefined ? finish() : fail(messages.failure));
  let piece = "";
  const push = (written: string | Buffer): void => {
    wanting = body.push(written);
    heart.refresh();
  };
  const flush = (): void => {
    if (piece !== "") push(piece);
    piece = "";
  };
  const pump = (): void => {
    try {
      for (let message: unknown = wanting && source.read(); message instanceof Buffer; message = wanting && source.read()) {
        const written = format.message(message);
        if (typeof written === "string") piece += written;
        else push(written);
        if (piece.length >= PIECE_MAX) flush();
      }
      flush();
    } catch (error) {
      flush();
      fail(error instanceof Error ? error : new Error(String(error)));
      source.cancel();
    }
  };
  // grpc-js hands over one message at a time: by the end of the turn all have come that were together on the wire.
  let isPumping = false;
  const pumpSoon = (): void => {
    if (isPumping) return;
    isPumping = true;
    setImmediate(() => {
      isPumping = false;
      if (!isOver) pump();
    });
  };
  const heart = setInterval(() => {
    if (format.heartbeat !== "" && body.readableLength === 0) body.push(format.heartbeat);
  }, heartbeatMs);
  open.add(stop);
  if (format.opening !== "") body.push(format.opening);
  if (messages.ended) end();
  else source.on("readable", pumpSoon).once("end", end);
  return body;
}
