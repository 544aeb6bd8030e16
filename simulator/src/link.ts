import { type Call, callFrame, type Frame, parseFrame } from "@chargemesh/ocpp/frame";
import { v16 } from "@chargemesh/ocpp/version";
import { WebSocket } from "ws";
import type { Request, Response, Sent } from "./messages.ts";
import type { Cancel, Time } from "./time.ts";

/** What became of a CALL. */
export type Outcome<R> =
  | { readonly kind: "answered"; readonly response: R }
  /** A CALLERROR, or an answer that is none. */
  | { readonly kind: "failed"; readonly description: string }
  | { readonly kind: "late" }
  /** The connection went before the answer came. */
  | { readonly kind: "lost" };

/** A CALL to be. `done` is told what became of it, once, before anything else is sent. */
export interface Outgoing {
  readonly action: Sent;
  readonly payload: object;
  readonly done: (outcome: Outcome<object>) => void;
}

/** Who holds a link, and what they do when something comes of it. */
export interface LinkHolder {
  readonly time: Time;
  readonly answerMs: number;
  /** What may be sent when nothing else waits. It is asked again once that has come to its end. */
  next(): Outgoing | undefined;
  opened(): void;
  /** The connection is gone, by whomever. */
  closed(code: number, reason: string): void;
  /** There was none to begin with. */
  refused(status: number | undefined, reason: string): void;
  received(call: Call): void;
  /** The CSMS sent what is not OCPP. */
  protocolError(description: string): void;
  idle(): void;
}

/** An OCPP-J connection of a charger, with at most one CALL of ours under way (OCPP-J 1.6 section 4.1.1). */
export interface Link {
  readonly holder: LinkHolder;
  socket: WebSocket | undefined;
  isOpen: boolean;
  readonly waiting: Outgoing[];
  outstanding: Outgoing | undefined;
  /** When that was sent, in ms since 1970. */
  sendTime: number;
  /** Its message id, and the number of CALLs sent so far. */
  lastId: number;
  watch: Cancel | undefined;
}

const HANDSHAKE_MS = 10_000;
/** How long a CSMS may take to answer our close, in ms. */
const CLOSE_MS = 500;
/** More than the longest CALL of OCPP 1.6, a charging profile or a local list, needs. */
const FRAME_BYTES_MAX = 1_000_000;

export function makeLink(holder: LinkHolder): Link {
  return {
    holder,
    socket: undefined,
    isOpen: false,
    waiting: [],
    outstanding: undefined,
    sendTime: 0,
    lastId: 0,
    watch: undefined,
  };
}

/** Opens the connection, with HTTP Basic authentication if there is a password. Does nothing while there is one. */
export function dial(link: Link, url: string, id: string, password: Buffer | undefined): void {
  if (link.socket !== undefined) return;
  const headers =
    password === undefined ? {} : { authorization: `Basic ${Buffer.concat([Buffer.from(`${id}:`), password]).toString("base64")}` };
  const socket = new WebSocket(`${url.replace(/\/$/, "")}/${encodeURIComponent(id)}`, v16.subprotocol, {
    headers,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: FRAME_BYTES_MAX,
  });
  link.socket = socket;
  let status: number | undefined;
  let problem = "";
  socket.on("unexpected-response", (_request, response) => {
    status = response.statusCode;
    socket.terminate();
  });
  socket.on("error", (err) => {
    problem = status === undefined ? err.message || err.name : `HTTP ${status}`;
  });
  socket.on("open", () => {
    if (link.socket !== socket) return;
    link.isOpen = true;
    link.holder.opened();
    send(link);
  });
  socket.on("message", (data, isBinary) => {
    if (link.socket === socket && !isBinary) receive(link, data.toString());
  });
  socket.on("close", (code, reason) => {
    if (link.socket !== socket) return;
    if (release(link)) link.holder.closed(code, reason.toString() || problem);
    else link.holder.refused(status, problem);
  });
}

/** Ends the connection: with a closing handshake or, as when a cable is cut, without. Answers the socket, which may still be closing. */
export function hangUp(link: Link, how: "close" | "cut"): WebSocket | undefined {
  const { socket } = link;
  if (socket === undefined) return undefined;
  const wasOpen = release(link);
  if (how === "close") closeGently(socket);
  else socket.terminate();
  if (wasOpen) link.holder.closed(how === "close" ? 1000 : 1006, "closed by the charger");
  return socket;
}

function closeGently(socket: WebSocket): void {
  const cut = setTimeout(() => socket.terminate(), CLOSE_MS);
  socket.once("close", () => clearTimeout(cut));
  socket.close(1000);
}

/** Sends a CALL as soon as those before it are answered. It is lost at once if there is no connection. */
export function enqueue(link: Link, call: Outgoing): void {
  if (!link.isOpen) {
    call.done({ kind: "lost" });
    return;
  }
  link.waiting.push(call);
  send(link);
}

/** The same, with the answer as what its schema, against which it was checked, says it is. */
export function ask<A extends Sent>(link: Link, action: A, payload: Request<A>, done: (outcome: Outcome<Response<A>>) => void): void {
  enqueue(link, { action, payload, done: (outcome) => done(outcome as Outcome<Response<A>>) });
}

/** Sends an answer. Answers never wait for our own CALLs. */
export function reply(link: Link, text: string): void {
  if (link.isOpen) link.socket?.send(text);
}

/** Sends what waits, if it may. */
export function send(link: Link): void {
  if (!link.isOpen || link.outstanding !== undefined) return;
  const call = link.waiting.shift() ?? link.holder.next();
  if (call === undefined) {
    link.holder.idle();
    return;
  }
  link.outstanding = call;
  link.sendTime = link.holder.time.now();
  link.lastId++;
  link.socket?.send(callFrame(String(link.lastId), call.action, call.payload));
  if (link.watch === undefined) watch(link, link.holder.answerMs);
}

/** One timer for all CALLs: it looks whether the one under way is late, and only then is set again. */
function watch(link: Link, ms: number): void {
  const { time, answerMs } = link.holder;
  link.watch = time.after(ms, () => {
    link.watch = undefined;
    if (link.outstanding === undefined) return;
    const left = link.sendTime + answerMs - time.now();
    if (left > 0) watch(link, left);
    else settle(link, { kind: "late" });
  });
}

function settle(link: Link, outcome: Outcome<object>): void {
  const call = link.outstanding;
  link.outstanding = undefined;
  call?.done(outcome);
  send(link);
}

function receive(link: Link, text: string): void {
  const frame = parseFrame(text);
  if (frame.kind === "call") {
    link.holder.received(frame);
  } else if (frame.kind === "unreadable") {
    const refusal = v16.refusalOf(frame);
    if (refusal !== undefined) reply(link, refusal);
    link.holder.protocolError(frame.description);
  } else if (link.outstanding !== undefined && frame.id === String(link.lastId)) {
    settle(link, outcomeOf(link, link.outstanding, frame));
  } else if (!(Number(frame.id) <= link.lastId)) {
    // An answer to an older CALL is only late.
    link.holder.protocolError(`an answer to ${JSON.stringify(frame.id)}, which was not asked`);
  }
}

function outcomeOf(link: Link, { action }: Outgoing, frame: Extract<Frame, { kind: "result" | "error" }>): Outcome<object> {
  if (frame.kind === "error") return { kind: "failed", description: `${frame.code}: ${frame.description}` };
  const { payload } = frame;
  const problem = v16.checkResponse(action, payload);
  if (problem === undefined && typeof payload === "object" && payload !== null) return { kind: "answered", response: payload };
  const description = `the answer to ${action}: ${problem?.description}`;
  link.holder.protocolError(description);
  return { kind: "failed", description };
}

/** Forgets the connection and what waits for it. Answers whether it was open. */
function release(link: Link): boolean {
  const wasOpen = link.isOpen;
  const lost = link.outstanding === undefined ? link.waiting.splice(0) : [link.outstanding, ...link.waiting.splice(0)];
  link.socket = undefined;
  link.isOpen = false;
  link.outstanding = undefined;
  link.watch?.();
  link.watch = undefined;
  for (const call of lost) call.done({ kind: "lost" });
  return wasOpen;
}
