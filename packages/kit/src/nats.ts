import { connect, type NatsConnection } from "nats";
import { AppError } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import { accessTo, type NatsConfig, type StreamSettings } from "./nats-access.ts";
import { rest } from "./rest.ts";

const RECONNECT_WAIT_MS = 250;
const PING_INTERVAL_MS = 5_000;
/** How long a server may take to let us in. One that does not like our certificate says nothing. */
const CONNECT_TIMEOUT_MS = 3_000;

/** A connection to NATS that comes and goes. */
export interface Nats {
  /** The connection. UNAVAILABLE while there is none. */
  connection(): NatsConnection;
  isConnected(): boolean;
  /** Resolves if there is a connection now, rejects if not: the check for health. */
  check(): Promise<void>;
  /** How the streams are kept. */
  readonly streams: StreamSettings;
}

/** Begins to connect as the service `name`, and goes on until it does and whenever it is lost. */
export function openNats(config: NatsConfig, name: string, stack: Stack, log: Logger): Nats {
  const options = {
    name,
    // A name of its own, so that one service may not hear what is answered to another.
    inboxPrefix: `_INBOX.${name}`,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
  };
  const stopping = new AbortController();
  let current: NatsConnection | undefined;
  let up = false;
  const follow = async (connection: NatsConnection): Promise<void> => {
    if (stopping.signal.aborted) return connection.close();
    current = connection;
    up = true;
    for await (const { type, data } of connection.status()) {
      if (type === "disconnect") up = false;
      if (type === "reconnect") up = true;
      if (type === "error") log.warn({ data }, "NATS refused something");
    }
    up = false;
  };
  const run = async (): Promise<void> => {
    let said = "";
    while (!stopping.signal.aborted) {
      await accessTo(config)
        .then((access) => connect({ ...options, ...access }))
        .then(follow)
        .catch((err: unknown) => {
          if (String(err) !== said) log.warn({ err }, "no connection to NATS yet");
          said = String(err);
        });
      await rest(RECONNECT_WAIT_MS, stopping.signal);
    }
  };
  void run();
  stack.defer("nats", async () => {
    stopping.abort();
    if (up) await current?.drain();
    else await current?.close();
  });
  return {
    connection() {
      if (current === undefined || !up)
        throw new AppError("unavailable", "NATS_UNAVAILABLE", "The message bus is not available. Try again.");
      return current;
    },
    isConnected: () => up,
    check: () => (up ? Promise.resolve() : Promise.reject(new Error("not connected"))),
    streams: config.streams,
  };
}
