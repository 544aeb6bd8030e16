import { createHash } from "node:crypto";
import { networkOf } from "@chargemesh/kit/network";
import { RestError } from "@chargemesh/transcoder/errors";
import fastifyPlugin from "fastify-plugin";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Requests to this route are not counted. */
    unlimited?: boolean;
  }
}

/** Requests a minute; 0 is no limit. */
export interface RateLimits {
  /** With one access token. */
  readonly perToken: number;
  /** From one address, whoever sends them. */
  readonly perAddress: number;
}

/** Callers that are remembered at most. Who was not heard of for longest is forgotten, and may begin anew. */
const CALLERS_MAX = 100_000;
const MINUTE = 60_000;

/**
 * Refuses callers who ask more often than they may, with 429 and Retry-After. Tokens are not verified here, so a made-up one has a count of
 * its own; that is why addresses have one, too. Each replica of the gateway counts for itself.
 */
export const rateLimit = fastifyPlugin<RateLimits>(async (app, { perToken, perAddress }) => {
  const tokens = newBuckets(perToken);
  const addresses = newBuckets(perAddress);
  if (perToken === 0 && perAddress === 0) return;
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.routeOptions.config.unlimited) return done();
    const { authorization } = request.headers;
    const wait = Math.max(
      perAddress === 0 ? 0 : addresses(networkOf(request.ip)),
      perToken === 0 || authorization === undefined ? 0 : tokens(createHash("sha256").update(authorization).digest("base64")),
    );
    if (wait === 0) return done();
    const headers = { "retry-after": String(Math.ceil(wait / 1_000)) };
    const message = "You ask more often than you may. Come again later.";
    done(new RestError({ code: "RESOURCE_EXHAUSTED", reason: "RATE_LIMITED", message, headers }));
  });
});

/** Takes one of what a caller has left, and answers how long until there is one, in ms; 0 if there was. It fills up evenly, to a minute's worth. */
function newBuckets(perMinute: number): (caller: string) => number {
  const buckets = new Map<string, { left: number; at: number }>();
  return (caller) => {
    const now = performance.now();
    const bucket = buckets.get(caller) ?? { left: perMinute, at: now };
    bucket.left = Math.min(perMinute, bucket.left + ((now - bucket.at) * perMinute) / MINUTE);
    bucket.at = now;
    buckets.delete(caller);
    buckets.set(caller, bucket);
    const [oldest] = buckets.size > CALLERS_MAX ? buckets.keys() : [];
    if (oldest !== undefined) buckets.delete(oldest);
    if (bucket.left < 1) return ((1 - bucket.left) * MINUTE) / perMinute;
    bucket.left--;
    return 0;
  };
}
