import fastifyPlugin from "fastify-plugin";

/** Longer than any id: a token, as in the link by which one unsubscribes from mails. */
const TOKEN = /[\w-]{65,}/g;

/** One line a request. Neither headers nor bodies nor query parameters, for they hold secrets. */
export const accessLog = fastifyPlugin(async (app) => {
  app.addHook("onResponse", (request, reply, done) => {
    const line = {
      method: request.method,
      path: (request.raw.url ?? "").split("?", 1)[0]?.replace(TOKEN, "…"),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      remoteAddress: request.ip,
    };
    // A system that is not well says so by itself, and not each time that somebody asks.
    const isHealth = line.path?.endsWith("/health");
    if (reply.statusCode >= 500 && !isHealth) request.log.warn(line, "answered");
    else request.log.info(line, "answered");
    done();
  });
});
