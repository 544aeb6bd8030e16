import fastifyPlugin from "fastify-plugin";

const POLICY = "content-security-policy";

/** For answers that are data: nothing in them is run, framed, or taken for another type than it says. A route may say otherwise. */
const always = {
  [POLICY]: "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The pages that services answer with, such as the preview of a mail: they have styles and forms of their own, and run and fetch nothing. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A year, in s. */
const HSTS = "max-age=31536000";

/** The headers that keep browsers from doing what nobody asked for, and caches from keeping what is one caller's. */
export const securityHeaders = fastifyPlugin(async (app) => {
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(always);
    if (request.protocol === "https") reply.header("strict-transport-security", HSTS);
    done();
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    const isPage = String(reply.getHeader("content-type")).startsWith("text/html");
    if (isPage && reply.getHeader(POLICY) === always[POLICY]) reply.header(POLICY, PAGE_POLICY);
    // What has an ETag may be kept by its caller, who asks whether it still holds.
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", reply.hasHeader("etag") ? "private, no-cache" : "no-store");
    done(null, payload);
  });
});
