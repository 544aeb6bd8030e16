import { forwardUserAgent, makeForwarding } from "@chargemesh/kit/forwarding";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { openTransport } from "@chargemesh/kit/transport";
import { transcoder } from "@chargemesh/transcoder";
import { clientErrorHandler } from "@chargemesh/transcoder/client-error";
import { errorHandler, notFoundHandler } from "@chargemesh/transcoder/errors";
import { FORWARDED, RETURNED } from "@chargemesh/transcoder/metadata";
import Fastify, { type FastifyBaseLogger, LogController } from "fastify";
import type { Config } from "./config.ts";
import { DOMAIN } from "./error-domain.ts";
import { accessLog } from "./plugins/access-log.ts";
import { account } from "./plugins/account.ts";
import { compression } from "./plugins/compression.ts";
import { cors } from "./plugins/cors.ts";
import { docs } from "./plugins/docs.ts";
import { health } from "./plugins/health.ts";
import { ocppProxy } from "./plugins/ocpp-proxy.ts";
import { rateLimit } from "./plugins/rate-limit.ts";
import { readRequestId, requestId } from "./plugins/request-id.ts";
import { securityHeaders } from "./plugins/security-headers.ts";
import { singleHeaders } from "./plugins/single-headers.ts";
import { logWhenNeeded } from "./request-log.ts";
import { openUpstreams } from "./upstreams.ts";

/** Starts the edge, and answers the address that it listens on. It holds no state, and its routes come from the protos. */
export async function start(config: Config, stack: Stack, log: Logger): Promise<{ address: string }> {
  const transport = await openTransport(config.meshCerts, "gateway", stack, log);
  const upstreams = openUpstreams(config.upstreams, transport);
  stack.defer("clients", () => {
    for (const client of Object.values(upstreams)) client.close();
  });
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: readRequestId,
    bodyLimit: config.bodyBytesMax,
    // An answer that is under way may end; idle connections do not hold up a stop.
    forceCloseConnections: "idle",
    frameworkErrors: errorHandler(DOMAIN),
    clientErrorHandler: clientErrorHandler(DOMAIN),
    trustProxy: config.trustedProxies.length > 0 && [...config.trustedProxies],
  });
  app.setChildLoggerFactory(logWhenNeeded(log));
  app.setErrorHandler(errorHandler(DOMAIN));
  app.setNotFoundHandler(notFoundHandler(DOMAIN));
  await app.register(requestId);
  await app.register(accessLog);
  await app.register(securityHeaders);
  await app.register(singleHeaders);
  await app.register(cors, config);
  await app.register(rateLimit, config.rateLimits);
  await app.register(compression);
  if (config.house !== undefined) {
    await app.register(health, { ...config, transport });
    await app.register(account);
    await app.register(ocppProxy, { ...config.house, upstreams: config.upstreams, transport });
  }
  await app.register(docs, { protoDirs: config.protoDirs, isOurs: config.house !== undefined });
  const forwarding = config.house && makeForwarding(config.house.meshSecret);
  await app.register(transcoder, {
    protoDirs: config.protoDirs,
    upstreams,
    deadlineMs: config.deadlineMs,
    bodyLimit: config.bodyBytesMax,
    domain: DOMAIN,
    forwardHeaders: [...FORWARDED, ...config.forwardHeaders],
    returnHeaders: [...RETURNED, ...config.returnHeaders],
    metadata: (request) => ({
      "x-request-id": request.id,
      ...forwarding?.(request.ip),
      ...forwardUserAgent(request.headers["user-agent"]),
    }),
    ...(config.house && { stream: { id: "cursor", event: "type" } }),
  });
  const colon = config.address.lastIndexOf(":");
  await app.listen({ host: config.address.slice(0, colon), port: Number(config.address.slice(colon + 1)) });
  stack.defer("http", () => app.close());
  const bound = app.server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return { address: `${config.address.slice(0, colon)}:${port}` };
}
