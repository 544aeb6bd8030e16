import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import { type WebSocket, WebSocketServer } from "ws";
import { admit, type UnknownChargers } from "../domain/admission.ts";
import { chooseDialect } from "./dialects.ts";
import { readKnock, refuse } from "./handshake.ts";
import type { Registry } from "./registry.ts";
import { makeTurnstile } from "./turnstile.ts";
import { type WelcomeDeps, type WelcomeOptions, welcome } from "./welcome.ts";

/** A 2.0.1 NotifyReport page is about 40 KB; three times that, 128 KiB, is an error or an attack. */
const FRAME_BYTES_MAX = 131_072;
/** Handshakes that are looked into at once; more would only wait for a connection to the database, and there not long. */
const HANDSHAKES_AT_ONCE = 32;
/** Handshakes that wait their turn: a fleet that comes back at once. Nobody knows yet who they are, and each holds some 20 KB. */
const HANDSHAKES_WAITING_MAX = 10_000;
/** Chargers give up after some 30 s; there is no use in letting them in later. */
const HANDSHAKE_MS = 30_000;
/** How long the CALLs in hand may take when we stop, in ms. */
const SETTLE_MS = 2_000;

export interface DoorOptions extends WelcomeOptions {
  unknownChargers: UnknownChargers;
  /** Whether this proves that it is the gateway who says where a charger comes from. */
  isGateway(proof: string): boolean;
}

/** Where chargers come in, whatever port they knock at. */
export interface Door {
  /** Looks into a handshake; `socket` is answered, or becomes a connection. */
  knock(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Lets nobody in any more, answers the CALLs in hand and closes every connection. */
  close(): Promise<void>;
}

export function makeDoor(options: DoorOptions, deps: WelcomeDeps, log: Logger): Door {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    // It costs memory and time a socket, and saves little on frames of some hundred bytes.
    perMessageDeflate: false,
    // A text that is no UTF-8 costs the frame; the connection looks for itself.
    skipUTF8Validation: true,
    handleProtocols: (offered) => chooseDialect(offered)?.version.subprotocol ?? false,
  });
  const turnstile = makeTurnstile(HANDSHAKES_AT_ONCE, HANDSHAKES_WAITING_MAX);
  let isClosing = false;
  const come = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    if (isClosing) return refuseToStart(socket);
    const knock = readKnock(request, options.isGateway);
    const admission = await admit(deps.db, knock, options.unknownChargers, deps.clock.now());
    if (admission.kind === "refused") {
      const { httpStatus, reason, message } = admission.refusal;
      log.info({ chargerId: knock.chargerId, reason }, "refused a charger");
      return refuse(socket, httpStatus, reason, message);
    }
    const upgrade = (): WebSocket | undefined => {
      let upgraded: WebSocket | undefined;
      if (isClosing) refuseToStart(socket);
      // Completes the handshake before it returns; what is no handshake of a WebSocket, or broke meanwhile, it ends by itself.
      else webSockets.handleUpgrade(request, socket, head, (webSocket) => (upgraded = webSocket));
      return upgraded;
    };
    await welcome(admission.entry, upgrade, options, deps, log);
  };
  return {
    knock(request, socket, head) {
      socket.on("error", (err) => log.debug({ err }, "a socket broke before it was a WebSocket"));
      const turn = turnstile.enter();
      if (turn === undefined) {
        log.warn("refused a handshake: too many wait");
        return refuse(socket, 503, "TOO_MANY_HANDSHAKES", "Too many chargers connect at once. Try again in a minute.");
      }
      const givingUp = setTimeout(() => refuse(socket, 503, "HANDSHAKE_TIMEOUT", "It took too long. Try again."), HANDSHAKE_MS);
      void turn
        // Whoever has given up meanwhile is not worth the database's time.
        .then(() => (socket.writable ? come(request, socket, head) : undefined))
        .catch((err: unknown) => refuseForFault(socket, err, log))
        .finally(() => {
          clearTimeout(givingUp);
          turnstile.leave();
        });
    },
    async close() {
      isClosing = true;
      await drain(webSockets, deps.registry);
      webSockets.close();
    },
  };
}

function refuseForFault(socket: Duplex, thrown: unknown, log: Logger): void {
  const err = withoutDatabase(thrown);
  if (err instanceof AppError) {
    refuse(socket, httpStatusOf(err), err.reason, err.message);
  } else {
    log.error({ err }, "a bug");
    refuse(socket, 500, "INTERNAL", "Something went wrong on our side.");
  }
}

/** Of what may still happen to a charger that was let in: it was deleted, its password changed, or the database is away. */
function httpStatusOf({ code }: AppError): number {
  if (code === "notFound") return 404;
  return code === "unauthenticated" ? 401 : 503;
}

function refuseToStart(socket: Duplex): void {
  refuse(socket, 503, "STOPPING", "This replica is stopping. Connect again.");
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
