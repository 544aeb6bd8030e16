import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** What a scripted CSMS answers a CALL: the payload of a CALLRESULT, the code of a CALLERROR, or nothing at all. */
export type Answer = object | `error:${string}` | "silence" | "cut";
export type Script = Record<string, (payload: Record<string, unknown>, charger: string) => Answer>;

export interface Received {
  readonly charger: string;
  readonly id: string;
  readonly action: string;
  readonly payload: Record<string, unknown>;
}

/** A real WebSocket server that answers by a table and remembers what it heard. */
export interface ScriptedCsms {
  readonly url: string;
  /** Every CALL that came, in order. */
  readonly calls: Received[];
  /** The `authorization` header of every handshake. */
  readonly credentials: (string | undefined)[];
  /** What it answers, to be changed at any time. */
  readonly script: Script;
  /** The next CALL with this action that no one has waited for yet, in order of arrival. */
  next(action: string): Promise<Received>;
  /** Sends a CALL to the charger that connected last; answers the frame that comes back. */
  ask(action: string, payload: object): Promise<unknown[]>;
  /** Sends any text to it, and answers the next frame that is no CALL. */
  say(text: string): Promise<unknown[]>;
  /** Forgets what it heard. */
  forget(): void;
  /** Ends every connection without a closing handshake. */
  cut(): void;
  close(): Promise<void>;
}

export function actionsOf(calls: readonly Received[]): string[] {
  return calls.map(({ action }) => action);
}

const accepting = (): Script => {
  let transactions = 0;
  return {
    BootNotification: () => ({ status: "Accepted", currentTime: "2026-03-01T08:00:00Z", interval: 300 }),
    Heartbeat: () => ({ currentTime: "2026-03-01T08:00:00Z" }),
    StatusNotification: () => ({}),
    MeterValues: () => ({}),
    Authorize: () => ({ idTagInfo: { status: "Accepted" } }),
    StartTransaction: () => ({ idTagInfo: { status: "Accepted" }, transactionId: 100 + ++transactions }),
    StopTransaction: () => ({}),
    DiagnosticsStatusNotification: () => ({}),
    FirmwareStatusNotification: () => ({}),
    LogStatusNotification: () => ({}),
    SecurityEventNotification: () => ({}),
    SignCertificate: () => ({ status: "Accepted" }),
    SignedFirmwareStatusNotification: () => ({}),
  };
};

/** Starts one on a free port. `refuse` answers the HTTP status of a handshake that fails. */
export async function startCsms(refuse: () => number | undefined = () => undefined): Promise<ScriptedCsms> {
  const calls: Received[] = [];
  const credentials: (string | undefined)[] = [];
  const script = accepting();
  let newest: WebSocket | undefined;
  let answers: ((frame: unknown[]) => void)[] = [];
  let waiting: { action: string; resolve: (call: Received) => void }[] = [];
  const unseen: Received[] = [];
  let asked = 0;

  const hear = (call: Received): void => {
    calls.push(call);
    const waiter = waiting.find(({ action }) => action === call.action);
    waiting = waiting.filter((each) => each !== waiter);
    if (waiter === undefined) unseen.push(call);
    else waiter.resolve(call);
  };
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    verifyClient: ({ req }, done) => {
      credentials.push(req.headers.authorization);
      const status = refuse();
      done(status === undefined, status);
    },
  });
  server.on("connection", (socket, request) => {
    newest = socket;
    const charger = decodeURIComponent(request.url?.split("/").at(-1) ?? "");
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as unknown[];
      if (frame[0] !== 2) {
        const [take] = answers.splice(0, 1);
        take?.(frame);
        return;
      }
      const call = { charger, id: String(frame[1]), action: String(frame[2]), payload: frame[3] as Record<string, unknown> };
      hear(call);
      const answer = script[call.action]?.(call.payload, charger) ?? "error:NotImplemented";
      if (answer === "cut") socket.terminate();
      else if (typeof answer === "object") socket.send(JSON.stringify([3, call.id, answer]));
      else if (answer !== "silence") socket.send(JSON.stringify([4, call.id, answer.slice("error:".length), "", {}]));
    });
  });
  await once(server, "listening");

  const say = (text: string): Promise<unknown[]> => {
    newest?.send(text);
    return new Promise((resolve) => answers.push(resolve));
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ocpp`,
    calls,
    credentials,
    script,
    next(action) {
      const at = unseen.findIndex((call) => call.action === action);
      const [seen] = at === -1 ? [] : unseen.splice(at, 1);
      return seen === undefined ? new Promise((resolve) => waiting.push({ action, resolve })) : Promise.resolve(seen);
    },
    ask: (action, payload) => say(JSON.stringify([2, `c${++asked}`, action, payload])),
    say,
    forget() {
      calls.length = 0;
      unseen.length = 0;
    },
    cut() {
      answers = [];
      for (const socket of server.clients) socket.terminate();
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, "close");
    },
  };
}
