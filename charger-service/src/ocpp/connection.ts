import type { Logger } from "@chargemesh/kit/log";
import { newRequestId } from "@chargemesh/kit/request-id";
import { type Call, parseFrame } from "@chargemesh/ocpp/frame";
import type { Version } from "@chargemesh/ocpp/version";
import type { Record } from "./frame-log.ts";
import { type Answer, makeIncoming } from "./incoming.ts";
import { makeOutgoing, type Outgoing } from "./outgoing.ts";
import type { Wheel } from "./wheel.ts";

/** What a connection needs of a WebSocket, so that another server can take the place of `ws`. */
export interface Socket {
  send(text: string): void;
  /** How much of what was sent has not left yet, in bytes. */
  readonly unsentBytes: number;
  ping(): void;
  close(code: number, reason: string): void;
  /** Ends it without a goodbye, for a peer that is dead. */
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** A charger's live connection. */
export interface Connection extends Pick<Outgoing, "inTurn" | "call"> {
  readonly chargerId: string;
  /** Which of the charger's connections this is; the highest holds the charger. */
  readonly epoch: number;
  readonly version: Version;
  readonly isOpen: boolean;
  /** Whether the charger has had an answer on it. Before, some do not listen yet. */
  readonly isAwake: boolean;
  /** Closes it; `reason` is for the books. */
  close(code: number, reason: string): void;
  /** Resolves when every CALL that has come in is answered. */
  settled(): Promise<void>;
}

/** What the socket tells its connection. */
export interface Ears {
  text(text: string): void;
  /** A sign of life that is no message. */
  alive(): void;
  /** The socket has closed. */
  closed(reason: string): void;
}

export interface ConnectionOptions {
  chargerId: string;
  epoch: number;
  version: Version;
  socket: Socket;
  wheel: Wheel;
  log: Logger;
  /** How often to ping; a peer that says nothing until the next ping is dead. */
  pingSeconds: number;
  /** How long a charger may take to answer a CALL. */
  callSeconds: number;
  /** Answers a CALL of the charger. Throws if it cannot be processed. */
  answer(call: Call): Promise<Answer>;
  /** Keeps a frame that has just come or gone. */
  record: Record;
  /** The charger has said something. */
  heard(): void;
  /** A CALL of this action has been answered, on a connection that was awake before or not. */
  answered(action: string, wasAwake: boolean): void;
  /** The connection has ended; called once. */
  ended(reason: string): void;
}

/** A charger that talks and does not listen would have us keep all our answers; this is some thousand of them. */
const UNSENT_BYTES_MAX = 1_000_000;

/** Runs the RPC of OCPP-J on a socket: the charger's CALLs in their order, ours one at a time, neither waiting for the other. */
export function openConnection(options: ConnectionOptions): { connection: Connection; ears: Ears } {
  const { chargerId, epoch, socket, version, wheel, record } = options;
  const log = options.log.child({ chargerId });
  let isOpen = true;
  let isAwake = false;
  let closeReason = "";
  const close = (code: number, reason: string): void => {
    closeReason ||= reason;
    if (!isOpen) return;
    // It may take its time to end, and whoever waits for its answers need not.
    outgoing.lost();
    socket.close(code, reason);
  };
  const send = (text: string): void => {
    if (socket.unsentBytes > UNSENT_BYTES_MAX) {
      closeReason ||= "NOT_LISTENING";
      socket.terminate();
    } else {
      socket.send(text);
    }
  };
  const outgoing = makeOutgoing({ ...options, send, log });
  const incoming = makeIncoming({
    answer: options.answer,
    record,
    send(text, action) {
      send(text);
      options.answered(action, isAwake);
      isAwake = true;
    },
    giveUp: () => close(1013, "DATABASE_UNAVAILABLE"),
    pause() {
      pulse.pause();
      socket.pause();
    },
    resume() {
      pulse.resume();
      socket.resume();
    },
    log,
  });
  const pulse = watchPulse(socket, options.pingSeconds, wheel, () => {
    closeReason ||= "PEER_DEAD";
  });
  const ears: Ears = {
    text(text) {
      pulse.alive();
      options.heard();
      const frame = parseFrame(text);
      if (frame.kind === "call") return incoming.take(frame, text);
      if (frame.kind !== "unreadable") return outgoing.answered(frame, text);
      const { id: messageId = "", code: errorCode, description } = frame;
      const traceId = newRequestId();
      record({ direction: "FROM_CHARGER", type: "UNREADABLE", text, messageId, traceId, errorCode });
      log.warn({ code: errorCode, description, requestId: traceId }, "an unreadable frame");
      const refusal = version.refusalOf(frame);
      if (refusal === undefined) return;
      send(refusal);
      record({ direction: "TO_CHARGER", text: refusal, messageId, traceId });
    },
    alive: pulse.alive,
    closed(reason) {
      if (!isOpen) return;
      isOpen = false;
      pulse.stop();
      incoming.lost();
      outgoing.lost();
      options.ended(closeReason || reason);
    },
  };
  const connection: Connection = {
    chargerId,
    epoch,
    version,
    get isOpen() {
      return isOpen && closeReason === "";
    },
    get isAwake() {
      return isAwake;
    },
    inTurn: outgoing.inTurn,
    call: outgoing.call,
    close,
    settled: incoming.settled,
  };
  return { connection, ears };
}

interface Pulse {
  /** The peer has given a sign of life. */
  alive(): void;
  /** From now on nothing is read, so that nothing it says can be heard. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** Pings a socket again and again, and terminates it when a ping goes by without a sign of life. */
function watchPulse(socket: Socket, seconds: number, wheel: Wheel, dead: () => void): Pulse {
  let isAlive = true;
  let isPaused = false;
  const beat = (): void => {
    if (!isAlive && !isPaused) {
      dead();
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
    next = wheel.in(seconds, beat);
  };
  let next = wheel.in(seconds, beat);
  return {
    alive() {
      isAlive = true;
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      isAlive = true;
    },
    stop: () => next(),
  };
}
