import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { ConnectionOptions } from "node:tls";
import { WebSocket } from "ws";

/** What came over the wire, parsed: `[2, id, action, payload]`, `[3, id, payload]` or `[4, id, code, description, details]`. */
export type Frame = unknown[];
// biome-ignore lint/suspicious/noExplicitAny: payloads are what the tests assert
export type Payload = any;

/** What a station does with a CALL of ours: answers with this payload, with this CALLERROR, or not at all. */
export type Reaction = object | { errorCode: string; errorDescription?: string } | undefined;

export interface StationOptions {
  password?: string | Buffer;
  /** By default its identity. */
  user?: string;
  protocols?: string[];
  react?: (action: string, payload: Payload) => Reaction;
  /** Whether it answers pings. */
  autoPong?: boolean;
  headers?: Record<string, string>;
  /** Connects by TLS, like this. */
  tls?: ConnectionOptions;
}

/** A scripted charger: a bare WebSocket that says exactly what a test wants said. */
export interface Station {
  readonly id: string;
  readonly socket: WebSocket;
  /** Every frame that came, in order. */
  readonly frames: Frame[];
  /** Every CALL of ours that came, in order. */
  readonly asked: { id: string; action: string; payload: Payload }[];
  /** How the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Sends a CALL and answers the whole frame that answers it. Rejects if the connection closes before. */
  call(action: string, payload: object, messageId?: string): Promise<Frame>;
  /** The same for a CALL that is to succeed: the payload of its result. */
  result(action: string, payload: object): Promise<Payload>;
  /** Sends this, whatever it is. */
  say(frame: unknown): void;
  /** Resolves with the CALL of ours of this action that has come or comes next, from the `nth` on. */
  isAsked(action: string, nth?: number): Promise<{ id: string; action: string; payload: Payload }>;
  boot(): Promise<Payload>;
  /** Says goodbye, and waits until it is over. */
  leave(): Promise<void>;
}

/** How a handshake was refused. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;

  constructor(status: number, headers: IncomingHttpHeaders, body: string) {
    super(`refused with ${status}: ${body}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** Connects as a charger to `address`. `path` is what stands behind the host, if it is not the identity. Rejects with Refusal if it is not let in. */
export async function connectStation(address: string, id: string, options: StationOptions = {}, path = `/${id}`): Promise<Station> {
  const { password, user = id, protocols = ["ocpp1.6"], autoPong = true } = options;
  const authorization = password === undefined ? {} : { authorization: basic(user, password) };
  const { tls } = options;
  const socket = new WebSocket(`${tls === undefined ? "ws" : "wss"}://${address}${path}`, protocols, {
    ...tls,
    autoPong,
    headers: { ...authorization, ...options.headers },
  });
  const station = listen(socket, id, options.react ?? (() => ({ status: "Accepted" })));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => reject(new Refusal(response.statusCode ?? 0, response.headers, Buffer.concat(parts).toString())));
    });
  });
  return station;
}

/** An HTTP Basic header; a password may be any bytes. */
export function basic(user: string, password: string | Buffer): string {
  return `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password)]).toString("base64")}`;
}

function listen(socket: WebSocket, id: string, react: NonNullable<StationOptions["react"]>): Station {
  const frames: Frame[] = [];
  const asked: Station["asked"] = [];
  const waiting = new Map<string, PromiseWithResolvers<Frame>>();
  let news = Promise.withResolvers<void>();
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => {
      for (const { reject } of waiting.values()) reject(new Error(`closed with ${code} before the answer`));
      resolve({ code, reason: reason.toString() });
    });
  });
  socket.on("error", () => undefined);
  const answer = (messageId: string, action: string, payload: Payload): void => {
    const reaction = react(action, payload);
    if (reaction === undefined) return;
    if ("errorCode" in reaction) socket.send(JSON.stringify([4, messageId, reaction.errorCode, reaction.errorDescription ?? "", {}]));
    else socket.send(JSON.stringify([3, messageId, reaction]));
  };
  socket.on("message", (data) => {
    const frame: Frame = JSON.parse(data.toString());
    frames.push(frame);
    const [type, messageId] = frame as [number, string];
    if (type === 2) {
      const [, , action, payload] = frame as [number, string, string, Payload];
      asked.push({ id: messageId, action, payload });
      answer(messageId, action, payload);
    } else {
      waiting.get(messageId)?.resolve(frame);
      waiting.delete(messageId);
    }
    news.resolve();
    news = Promise.withResolvers<void>();
  });
  const call: Station["call"] = (action, payload, messageId = randomUUID()) => {
    const one = Promise.withResolvers<Frame>();
    waiting.set(messageId, one);
    socket.send(JSON.stringify([2, messageId, action, payload]));
    return one.promise;
  };
  const result: Station["result"] = async (action, payload) => {
    const frame = await call(action, payload);
    if (frame[0] !== 3) throw new Error(`${action} was refused: ${JSON.stringify(frame)}`);
    return frame[2];
  };
  return {
    id,
    socket,
    frames,
    asked,
    closed,
    call,
    result,
    say: (frame) => socket.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)),
    async isAsked(action, nth = 0) {
      for (;;) {
        const found = asked.filter((one) => one.action === action)[nth];
        if (found !== undefined) return found;
        await Promise.race([news.promise, closed.then(() => Promise.reject(new Error(`closed before it was asked ${action}`)))]);
      }
    },
    boot: () => result("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" }),
    async leave() {
      socket.close();
      await closed;
    },
  };
}
