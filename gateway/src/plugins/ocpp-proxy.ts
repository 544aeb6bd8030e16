import type { IncomingMessage } from "node:http";
import { ConnectionServiceClient } from "@chargemesh/contracts/charger/v1/connection_service";
import { AppError } from "@chargemesh/kit/errors";
import { makeForwarding } from "@chargemesh/kit/forwarding";
import { callUnary, openClient } from "@chargemesh/kit/grpc-client";
import { makeMeshIdentity } from "@chargemesh/kit/identity";
import type { Transport } from "@chargemesh/kit/transport";
import { errorBody, RestError, sendError } from "@chargemesh/transcoder/errors";
import { codeOfHttp } from "@chargemesh/transcoder/http-status";
import { upstreamOf } from "@chargemesh/transcoder/upstreams";
import fastifyHttpProxy from "@fastify/http-proxy";
import type { FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import type { Config, House } from "../config.ts";
import { DOMAIN } from "../error-domain.ts";

export const PREFIX = "/ocpp/ws";
/** Chargers give up a handshake after some 10 s or more. */
const CHECK_MS = 5_000;
/** WebSocket close code of a charger that left: "normal closure". */
const LEFT_CODE = 1000;
/** The same as at charger-service's own door. */
const FRAME_BYTES_MAX = 131_072;

/**
 * Passes OCPP WebSockets through to charger-service, at `/ocpp/ws/{identity}`.
 * By itself http-proxy answers 101 before it has asked upstream and answers pings for a dead charger, so charger-service is asked
 * before the upgrade, and pings and pongs go all the way (decision 13).
 */
export const ocppProxy = fastifyPlugin<House & Pick<Config, "upstreams"> & { transport: Transport }>(async (app, config) => {
  const target = upstreamOf(config.upstreams, "chargemesh.charger.v1.ConnectionService") ?? "";
  const client = openClient(ConnectionServiceClient, target, config.transport, "charger-service");
  app.addHook("onClose", async () => client.close());
  /** What charger-service chose of the subprotocols that a charger offers. */
  const chosen = new WeakMap<IncomingMessage, string>();
  const meshIdentity = makeMeshIdentity("gateway", config.meshSecret);
  const forwarding = makeForwarding(config.meshSecret);

  const check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      const message = `Chargers connect here by WebSocket, at ${PREFIX}/{identity}.`;
      const body = errorBody({ code: "FAILED_PRECONDITION", reason: "UPGRADE_REQUIRED", message, httpStatus: 426 }, DOMAIN);
      return void sendError(reply, body, { upgrade: "websocket", connection: "upgrade" });
    }
    const answer = await callUnary(
      client.checkConnection.bind(client),
      {
        chargerId: identityOf(request),
        authorization: request.headers.authorization ?? "",
        protocols: (request.headers["sec-websocket-protocol"] ?? "").split(",").flatMap((one) => one.trim() || []),
        remoteAddress: request.ip,
        secure: request.protocol === "https",
      },
      { deadline: Date.now() + CHECK_MS, metadata: await meshIdentity() },
    );
    if (answer.httpStatus === 0) return void chosen.set(request.raw, answer.protocol);
    const { httpStatus, reason, message } = answer;
    const challenge = httpStatus === 401 ? { "www-authenticate": 'Basic realm="OCPP", charset="UTF-8"' } : {};
    sendError(reply, errorBody({ code: codeOfHttp(httpStatus), reason, message, httpStatus }, DOMAIN), challenge);
  };

  // rewriteRequestHeaders is there, but not in the types.
  const wsClientOptions = {
    autoPong: false,
    maxPayload: FRAME_BYTES_MAX,
    rewriteRequestHeaders: (headers: object, request: FastifyRequest) => ({
      ...headers,
      ...(request.headers.authorization === undefined ? {} : { authorization: request.headers.authorization }),
      ...forwarding(request.ip),
      "x-forwarded-proto": request.protocol,
    }),
  };
  await app.register(fastifyHttpProxy, {
    prefix: PREFIX,
    upstream: `http://${config.ocppTarget}`,
    websocket: true,
    // charger-service has limits of its own, by identity: the chargers of a site share an address.
    config: { unlimited: true },
    httpMethods: ["GET"],
    preHandler: (request, reply, done) => {
      check(request, reply).then(
        () => reply.sent || done(),
        (err: unknown) => done(asRestError(err)),
      );
    },
    wsServerOptions: { autoPong: false, maxPayload: FRAME_BYTES_MAX, handleProtocols: (_offered, request) => chosen.get(request) || false },
    wsClientOptions,
    wsHooks: {
      // http-proxy does not pass on the end of a charger that left before charger-service had opened its side.
      onConnect(_context, source, target) {
        // What the charger said before it left goes first; it waits for the same moment as this.
        if (source.readyState !== source.OPEN) setImmediate(() => target.close(LEFT_CODE));
      },
    },
  });
});

/** That charger-service cannot be asked is no bug of ours: the charger may come again. */
function asRestError(err: unknown): Error {
  const cause = err instanceof Error ? err : new Error(String(err));
  if (!(err instanceof AppError)) return cause;
  return new RestError(
    { code: "UNAVAILABLE", reason: "CHARGER_SERVICE_UNAVAILABLE", message: "Chargers cannot be let in at the moment. Try again." },
    { cause },
  );
}

/** The last segment of the path, percent-decoded; what cannot be decoded stays as it is, and is no identity. */
function identityOf(request: FastifyRequest): string {
  const path = (request.raw.url ?? "").split("?", 1)[0] ?? "";
  const segment = path.slice(PREFIX.length + 1);
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
