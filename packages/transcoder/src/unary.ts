import type { CallOptions, Client, Metadata, ServiceError } from "@grpc/grpc-js";
import type { FastifyReply } from "fastify";
import type { Answer } from "./answer.ts";

/** One call to a service. */
export interface Call {
  readonly client: Client;
  /** "/package.Service/Method". */
  readonly path: string;
  readonly message: Buffer;
  readonly metadata: Metadata;
  readonly options: CallOptions;
}

/** Messages are encoded and decoded by us, so gRPC only carries bytes. */
export const asIs = (bytes: Buffer): Buffer => bytes;

/** Calls, and answers with what comes back. The call ends with the client's connection. Throws the ServiceError of a call that failed. */
export async function answerUnary(call: Call, answer: Answer, reply: FastifyReply): Promise<FastifyReply> {
  const message = await unary(call, reply);
  if (answer.kind === "json") return reply.type("application/json; charset=utf-8").send(answer.json(message));
  const { contentType, data } = answer.body(message);
  return reply.type(contentType).send(data);
}

function unary({ client, path, message, metadata, options }: Call, reply: FastifyReply): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(path, asIs, asIs, message, metadata, options, (error: ServiceError | null, response?: Buffer) => {
      if (error !== null) reject(error);
      else resolve(response ?? Buffer.alloc(0));
    });
    // Also comes after an answer, when there is nothing left to cancel.
    reply.raw.once("close", () => call.cancel());
  });
}
