import type { IncomingMessage } from "node:http";
import { readRequestId as readId } from "@chargemesh/kit/request-id";
import fastifyPlugin from "fastify-plugin";

const HEADER = "x-request-id";

/** The id under which a request is followed through all services. */
export function readRequestId({ headers }: Pick<IncomingMessage, "headers">): string {
  return readId(headers.traceparent, headers[HEADER]);
}

/** Tells every caller the id of their request. */
export const requestId = fastifyPlugin(async (app) => {
  app.addHook("onRequest", (request, reply, done) => {
    reply.header(HEADER, request.id);
    done();
  });
});
