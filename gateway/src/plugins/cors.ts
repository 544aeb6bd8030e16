import fastifyPlugin from "fastify-plugin";

/** How long a browser may keep the answer to a preflight, in s. */
const MAX_AGE = "600";

/**
 * Lets pages of these origins, or of any if `*` is one, call the API (WHATWG Fetch, 3.2). Who calls is told by a token in a header, never by
 * a cookie, so credentials are not allowed, and nothing is lost by allowing what a page asks for by name.
 */
export const cors = fastifyPlugin<{ corsOrigins: readonly string[] }>(async (app, { corsOrigins }) => {
  if (corsOrigins.length === 0) return;
  const isAny = corsOrigins.includes("*");
  const origins = new Set(corsOrigins);
  app.addHook("onRequest", (request, reply, done) => {
    if (!isAny) reply.header("vary", "Origin");
    const { origin, "access-control-request-method": wanted, "access-control-request-headers": headers } = request.headers;
    if (origin === undefined || !(isAny || origins.has(origin))) return done();
    reply.headers({ "access-control-allow-origin": isAny ? "*" : origin, "access-control-expose-headers": "*" });
    if (request.method !== "OPTIONS" || wanted === undefined) return done();
    reply.headers({ "access-control-allow-methods": wanted, "access-control-max-age": MAX_AGE });
    if (headers !== undefined) reply.header("access-control-allow-headers", headers);
    reply.code(204).send();
  });
});
