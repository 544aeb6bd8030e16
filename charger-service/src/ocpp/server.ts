import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { recordRefusal } from "../db/connection.ts";
import { UPLOAD_MS } from "../domain/received-file.ts";
import { type DoorOptions, makeDoor } from "./door.ts";
import { lineOf, openTlsServer, type TlsOptions } from "./tls.ts";
import type { WelcomeDeps } from "./welcome.ts";

/** How long a charger may take to say what it wants and to send a file, and how often that is looked at, in ms. */
const HTTP = { headersTimeout: 10_000, requestTimeout: UPLOAD_MS, connectionsCheckingInterval: 5_000 };
/** Failures of TLS that are being written. Past this they are only logged. */
const FAILURES_AT_ONCE = 8;

export interface OcppServerOptions extends DoorOptions {
  /** host:port; port 0 means any free one. */
  address: string;
  /** The port for TLS; undefined if there is none. */
  tls: TlsOptions | undefined;
  /** What else is served at the chargers' addresses, asked in turn. */
  requestHandlers: readonly RequestHandler[];
}

/** Answers an HTTP request that is no WebSocket. False if it is not its own: then it has touched nothing. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Where chargers find us, as host:port. */
export interface OcppAddresses {
  ocppAddress: string;
  /** Undefined if there is no port for TLS. */
  ocppTlsAddress: string | undefined;
}

/** Lets chargers in by WebSocket at `/{identity}`, in plaintext and, if there are certificates, by TLS. Throws ConfigError if those cannot be used. */
export async function serveOcpp(options: OcppServerOptions, deps: WelcomeDeps, stack: Stack, log: Logger): Promise<OcppAddresses> {
  const plain = createServer(HTTP);
  const tls = options.tls && (await openTlsServer(options.tls, HTTP, stack, log));
  const door = makeDoor(options, deps, log);
  const servers: Server[] = tls === undefined ? [plain] : [plain, tls];
  for (const server of servers) {
    server.on("upgrade", door.knock);
    server.on("request", (request, response) => {
      if (!options.requestHandlers.some((handle) => handle(request, response))) sayWhoComesHere(response);
    });
  }
  tls?.on("tlsClientError", noteFailures(deps, log));
  const ocppAddress = await listen(plain, options.address);
  const ocppTlsAddress = tls && options.tls && (await listen(tls, options.tls.address));
  stack.defer("ocpp", async () => {
    for (const server of servers) server.close();
    await door.close();
  });
  return { ocppAddress, ocppTlsAddress };
}

function sayWhoComesHere(response: ServerResponse): void {
  const error = { code: 426, status: "FAILED_PRECONDITION", message: "Chargers connect here by WebSocket, at /{identity}." };
  // Whoever sends a body with it has no business here, and is not listened to.
  const headers = { "content-type": "application/json", upgrade: "websocket", connection: "upgrade, close" };
  response.writeHead(426, headers).end(JSON.stringify({ error }));
}

/** Keeps who could not agree with us on TLS. That they are chargers, and which, nobody knows. */
function noteFailures({ db, clock }: WelcomeDeps, log: Logger): (err: Error, socket: Socket) => void {
  let writing = 0;
  return (err, socket) => {
    const { remoteAddress = "" } = socket;
    const detail = "code" in err ? String(err.code) : err.message;
    log.info({ detail, remoteAddress }, "a handshake of TLS failed");
    // Who only looks whether somebody is there hangs up.
    if (!detail.startsWith("ERR_SSL_") || writing >= FAILURES_AT_ONCE) return;
    writing++;
    const knock = { chargerId: "", remoteAddress, offeredProtocols: [], line: lineOf(socket) };
    recordRefusal(db, knock, { reason: "TLS_FAILED", securityProfile: 0, detail }, clock.now())
      .catch((cause: unknown) => log.warn({ err: cause }, "a failure of TLS is not kept"))
      .finally(() => writing--);
  };
}

function listen(server: Server, address: string): Promise<string> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(address.slice(colon + 1)), host, () => {
      const bound = server.address();
      resolve(`${host}:${typeof bound === "object" && bound !== null ? bound.port : 0}`);
    });
  });
}
