import type { Logger } from "@chargemesh/kit/log";
import type { Call } from "@chargemesh/ocpp/frame";
import type { Version } from "@chargemesh/ocpp/version";
import type { Counted, FrameCounts } from "../db/frame-counts.ts";
import { limitFlow } from "./flow.ts";
import type { Recorder } from "./frame-log.ts";
import { type Hearing, makeHearing } from "./hearing.ts";
import { type Answer, makeIncoming } from "./incoming.ts";
import { makeOutgoing, type Outgoing } from "./outgoing.ts";
import { type Pulse, watchPulse } from "./pulse.ts";
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
export interface Connection extends Pick<Outgoing, "inTurn" | "call">, Counted {
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
export interface Ears extends Hearing {
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
  /** What a charger may send. Beyond it is not read for a while. */
  framesPerSecond: number;
  /** Answers a CALL of the charger. Throws if it cannot be processed. */
  answer(call: Call): Promise<Answer>;
  /** Keeps a frame that has just come or gone. */
  record: Recorder;
  /** The charger has said something. */
  heard(): void;
  /** A CALL of this action has been answered, on a connection that was awake before or not. */
  answered(action: string, wasAwake: boolean): void;
  /** The connection has ended; called once. */
  ended(reason: string): void;
}

/** How every CALLERROR of ours begins (OCPP-J 1.6 section 4.2.3). */
const CALLERROR = "[4,";
/** A charger that talks and does not listen would have us keep all our answers; this is some thousand of them. */
const UNSENT_BYTES_MAX = 1_000_000;

/** Runs the RPC of OCPP-J on a socket: the charger's CALLs in their order, ours one at a time, neither waiting for the other. */
export function openConnection(options: ConnectionOptions): { connection: Connection; ears: Ears } {
  const { chargerId, epoch, socket, version, wheel, record } = options;
  const log = options.log.child({ chargerId });
  let isOpen = true;
  let isAwake = false;
  let closeReason = "";
  const counts: FrameCounts = { received: 0, sent: 0, refused: 0, ignored: 0, slowed: 0 };
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
      counts.sent++;
      if (text.startsWith(CALLERROR)) counts.refused++;
    }
  };
  const slowDown = (): void => {
    if (counts.slowed++ === 0) log.warn({ framesPerSecond: options.framesPerSecond }, "more frames than a charger may send: slowed down");
    brake.pause();
  };
  const came = (): void => {
    counts.received++;
    pulse.alive();
    options.heard();
    flow.came();
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
    pause: () => brake.pause(),
    resume: () => brake.resume(),
    log,
  });
  const pulse = watchPulse(socket, options.pingSeconds, wheel, () => {
    closeReason ||= "PEER_DEAD";
  });
  const brake = makeBrake(socket, pulse);
  const flow = limitFlow(options.framesPerSecond, wheel, slowDown, brake.resume);
  const hearing = makeHearing({ came, incoming, outgoing, version, send, record, counts, log });
  const ears: Ears = {
    ...hearing,
    alive: pulse.alive,
    closed(reason) {
      if (!isOpen) return;
      isOpen = false;
      pulse.stop();
      flow.stop();
      incoming.lost();
      outgoing.lost();
      options.ended(closeReason || reason);
    },
  };
  const connection: Connection = {
    chargerId,
    epoch,
    version,
    counts,
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

/** Stops reading for whoever wants it, until nobody does: the CALLs in hand, and the flow. */
function makeBrake(socket: Socket, pulse: Pulse): { pause(): void; resume(): void } {
  let pauses = 0;
  return {
    pause() {
      if (pauses++ > 0) return;
      pulse.pause();
      socket.pause();
    },
    resume() {
      if (--pauses > 0) return;
      pulse.resume();
      socket.resume();
    },
  };
}
