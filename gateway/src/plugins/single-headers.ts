import { RestError } from "@chargemesh/transcoder/errors";
import fastifyPlugin from "fastify-plugin";

/** Node takes the first of several, and something in front of us may have looked at the last. */
const once = new Set(["authorization", "host"]);

/** Refuses a request that says twice who calls or whom (RFC 9110, 5.3; RFC 9112, 3.2). */
export const singleHeaders = fastifyPlugin(async (app) => {
  app.addHook("onRequest", (request, _reply, done) => {
    const seen = new Set<string>();
    for (const [index, text] of request.raw.rawHeaders.entries()) {
      const name = index % 2 === 0 ? text.toLowerCase() : "";
      if (!once.has(name)) continue;
      if (seen.has(name)) {
        const message = `The header ${name} stands there twice.`;
        return done(new RestError({ code: "INVALID_ARGUMENT", reason: "INVALID_HEADER", message }));
      }
      seen.add(name);
    }
    done();
  });
});
