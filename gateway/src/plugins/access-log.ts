import fastifyPlugin from "fastify-plugin";

/** One line a request. Neither headers nor bodies nor query parameters, for they hold secrets. */
export const accessLog = fastifyPlugin(async (app) => {
  app.addHook("onResponse", async (request, reply) => {
    const line = {
      method: request.method,
      path: (request.raw.url ?? "").split("?", 1)[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      remoteAddress: request.ip,
    };
    if (reply.statusCode >= 500) request.log.warn(line, "answered");
    else request.log.info(line, "answered");
  });
});
