import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import { type WebSocket, WebSocketServer } from "ws";
import { admit, type UnknownChargers } from "../domain/admission.ts";
import { chooseDialect } from "./dialects.ts";
import { readKnock, refuse } from "./handshake.ts";
import type { Registry } from "./registry.ts";
import { type WelcomeDeps, type WelcomeOptions, welcome } from "./welcome.ts";

/** A 2.0.1 NotifyReport page is about 40 KB; ten times that is an error or an attack. */
const FRAME_BYTES_MAX = 400_000;
/** How long the CALLs in hand may take when we stop, in ms. */
const SETTLE_MS = 2_000;

export interface OcppServerOptions extends WelcomeOptions {
  /** host:port; port 0 means any free one. */
  address: string;
  unknownChargers: UnknownChargers;
  /** What else is served at the chargers' addresses, asked in turn. */
  requestHandlers: readonly RequestHandler[];
}

/** Answers an HTTP request that is no WebSocket. False if it is not its own: then it has touched nothing. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Lets chargers in by WebSocket at `/{identity}`, and answers the address that it listens on. */
export async function serveOcpp(options: OcppServerOptions, deps: WelcomeDeps, stack: Stack, log: Logger): Promise<string> {
  const http = createServer((request, response) => {
    if (options.requestHandlers.some((handle) => handle(request, response))) return;
    const body = JSON.stringify({
      error: { code: 426, status: "FAILED_PRECONDITION", message: "Chargers connect here by WebSocket, at /{identity}." },
    });
    response.writeHead(426, { "content-type": "application/json", upgrade: "websocket", connection: "upgrade" }).end(body);
  });
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    // It costs memory and time a socket, and saves little on frames of some hundred bytes.
    perMessageDeflate: false,
    handleProtocols: (offered) => chooseDialect(offered)?.version.subprotocol ?? false,
  });
  let stopping = false;
  http.on("upgrade", (request, socket, head) => {
    socket.on("error", (err) => log.debug({ err }, "a socket broke before it was a WebSocket"));
    const come = async (): Promise<void> => {
      if (stopping) return refuseToStart(socket);
      const knock = readKnock(request);
      const admission = await admit(deps.db, knock, options.unknownChargers, deps.clock.now());
      if (admission.kind === "refused") {
        const { httpStatus, reason, message } = admission.refusal;
        log.info({ chargerId: knock.chargerId, reason }, "refused a charger");
        return refuse(socket, httpStatus, reason, message);
      }
      await welcome(admission.entry, upgrade, options, deps, log);
    };
    const upgrade = (): WebSocket | undefined => {
      let upgraded: WebSocket | undefined;
      if (stopping) refuseToStart(socket);
      // Completes the handshake before it returns; what is no handshake of a WebSocket, or broke meanwhile, it ends by itself.
      else webSockets.handleUpgrade(request, socket, head, (webSocket) => (upgraded = webSocket));
      return upgraded;
    };
    come().catch((thrown: unknown) => {
      const err = withoutDatabase(thrown);
      if (err instanceof AppError) return refuse(socket, httpStatusOf(err), err.reason, err.message);
      log.error({ err }, "a bug");
      refuse(socket, 500, "INTERNAL", "Something went wrong on our side.");
    });
  });
  const port = await listen(http, options.address);
  stack.defer("ocpp", async () => {
    stopping = true;
    http.close();
    await drain(webSockets, deps.registry);
    webSockets.close();
  });
  return `${options.address.slice(0, options.address.lastIndexOf(":"))}:${port}`;
}

/** Of what may still happen to a charger that was let in: it was deleted, its password changed, or the database is away. */
function httpStatusOf({ code }: AppError): number {
  if (code === "notFound") return 404;
  return code === "unauthenticated" ? 401 : 503;
}

function refuseToStart(socket: Duplex): void {
  refuse(socket, 503, "STOPPING", "This replica is stopping. Connect again.");
}

function listen(http: ReturnType<typeof createServer>, address: string): Promise<number> {
  const colon = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(Number(address.slice(colon + 1)), address.slice(0, colon), () => {
      const bound = http.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
    });
  });
}

/** Answers the CALLs in hand, then closes every connection with 1012, "service restart"; whoever does not say goodbye is cut off. */
async function drain(webSockets: WebSocketServer, registry: Registry): Promise<void> {
  const connections = registry.all();
  await settle(Promise.all(connections.map((connection) => connection.settled())));
  const closed = Promise.all([...webSockets.clients].map((webSocket) => new Promise((resolve) => webSocket.once("close", resolve))));
  for (const connection of connections) connection.close(1012, "SERVICE_RESTART");
  await settle(closed);
  for (const webSocket of webSockets.clients) webSocket.terminate();
  await settle(closed);
}

/** Waits for `work`, but not too long. */
function settle(work: Promise<unknown>): Promise<unknown> {
  return Promise.race([work, new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref())]);
}
