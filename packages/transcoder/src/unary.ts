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
    let answer: Buffer | undefined;
    call.start(metadata, {
      onReceiveMetadata: (headers) => returned(headers, reply),
      onReceiveMessage(bytes: Buffer) {
        answer = bytes;
      },
      onReceiveStatus(ended) {
        returned(ended.metadata, reply);
        if (ended.code !== status.OK) reject(serviceError(ended));
        else if (answer === undefined) reject(serviceError({ ...ended, code: status.UNIMPLEMENTED, details: "No message came back." }));
        else resolve(answer);
      },
    });
    call.startRead();
    call.sendMessageWithContext({}, message);
    call.halfClose();
    // Also comes after an answer, when there is nothing left to cancel.
    reply.raw.once("close", () => call.cancelWithStatus(status.CANCELLED, "Nobody waits for it any more."));
  });
}

function serviceError(ended: StatusObject): ServiceError {
  return Object.assign(new Error(`${ended.code} ${status[ended.code]}: ${ended.details}`), ended);
}
