import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import fastifyPlugin from "fastify-plugin";

const HEADER = "x-request-id";

/** The id under which a request is followed through all services: the caller's own, if it is fit to be logged, else a new one. */
export function readRequestId(request: Pick<IncomingMessage, "headers">): string {
  const given = request.headers[HEADER];
  return typeof given === "string" && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Tells every caller the id of their request. */
export const requestId = fastifyPlugin(async (app) => {
  app.addHook("onRequest", (request, reply, done) => {
    reply.header(HEADER, request.id);
    done();
  });
});
