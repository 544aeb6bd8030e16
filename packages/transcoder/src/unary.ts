import type { CallOptions, Client, Metadata, ServiceError } from "@grpc/grpc-js";
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

/** Calls, and resolves with the message that comes back. The call ends with the client's connection. Throws the ServiceError of a call that failed. */
export function callUnary({ client, path, message, metadata, options, returned }: Call, reply: FastifyReply): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(path, asIs, asIs, message, metadata, options, (error: ServiceError | null, response?: Buffer) => {
      if (error !== null) reject(error);
      else resolve(response ?? Buffer.alloc(0));
    });
    call.on("metadata", (headers) => returned(headers, reply));
    call.on("status", ({ metadata: trailers }) => returned(trailers, reply));
    // Also comes after an answer, when there is nothing left to cancel.
    reply.raw.once("close", () => call.cancel());
  });
}
