import { type CallOptions, type Client, type Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import type { FastifyReply } from "fastify";
import type { Returned } from "./metadata.ts";

/** One call to a service. */
export interface Call {
  readonly client: Client;
  /** "/package.Service/Method". */
  readonly path: string;
  readonly message: Buffer;
  readonly metadata: Metadata;
  readonly options: CallOptions;
  /** Takes the metadata that comes back, before and after the message. */
  readonly returned: Returned;
}

/** Messages are encoded and decoded by us, so gRPC only carries bytes. */
export const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * Calls, and resolves with the message that comes back. The call ends with the client's connection. Throws the ServiceError of a call that
 * failed. Goes by the channel itself: interceptors, events and stack traces of Client would cost a fifth of the call.
 */
export function callUnary({ client, path, message, metadata, options, returned }: Call, reply: FastifyReply): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = client.getChannel().createCall(path, options.deadline ?? Number.POSITIVE_INFINITY, null, null, null);
    const listener = new AnswerListener({ reply, returned, resolve, reject });
    call.start(metadata, listener);
    call.startRead();
    call.sendMessageWithContext({}, message);
    call.halfClose();
    // Also comes after an answer.
    reply.raw.once("close", () => {
      if (listener.isWaiting) call.cancelWithStatus(status.CANCELLED, "Nobody waits for it any more.");
    });
  });
}

interface Waiter {
  readonly reply: FastifyReply;
  readonly returned: Returned;
  resolve(message: Buffer): void;
  reject(error: ServiceError): void;
}

/**
 * Passes on what a call answers, and lets go of whoever waited. Node keeps the streams of HTTP/2, and so their calls, until the next large
 * garbage collection; a call that still held its request would keep that as long, and copying them all costs a tenth of the time.
 */
class AnswerListener {
  #waiter: Waiter | undefined;
  #message: Buffer | undefined;

  constructor(waiter: Waiter) {
    this.#waiter = waiter;
  }

  get isWaiting(): boolean {
    return this.#waiter !== undefined;
  }

  onReceiveMetadata(headers: Metadata): void {
    this.#waiter?.returned(headers, this.#waiter.reply);
  }

  onReceiveMessage(bytes: Buffer): void {
    this.#message = bytes;
  }

  onReceiveStatus(ended: StatusObject): void {
    const waiter = this.#waiter;
    const message = this.#message;
    this.#waiter = undefined;
    this.#message = undefined;
    if (waiter === undefined) return;
    waiter.returned(ended.metadata, waiter.reply);
    if (ended.code !== status.OK) waiter.reject(serviceError(ended));
    else if (message === undefined) waiter.reject(serviceError({ ...ended, code: status.UNIMPLEMENTED, details: "No message came back." }));
    else waiter.resolve(message);
  }
}

function serviceError(ended: StatusObject): ServiceError {
  return Object.assign(new Error(`${ended.code} ${status[ended.code]}: ${ended.details}`), ended);
}
