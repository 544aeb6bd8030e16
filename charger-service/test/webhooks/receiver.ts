import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from "node:net";

/** What a receiver was sent. */
export interface Received {
  headers: IncomingHttpHeaders & { "webhook-id"?: string };
  body: string;
}

/** How a receiver behaves: as HTTP has it, or by what it writes to the connection once it has read something. */
export type Manner = { answer: RequestListener } | { raw: (socket: Socket) => void };

/** A receiver of webhooks on loopback, whose manners can change. */
export interface Receiver {
  url: string;
  received: Received[];
  /** The ids of the events that came, in their order, each as often as it came. */
  ids(): string[];
  /** From the next connection on. */
  behave(manner: Manner): void;
  leave(): Promise<void>;
}

/** Says yes to everything. */
export const good: Manner = { answer: (_request, response) => response.end("thanks") };
export const answers = (status: number, headers: Record<string, string> = {}, body = ""): Manner => ({
  answer: (_request, response) => response.writeHead(status, headers).end(body),
});
/** Says no to some events, and yes to all others. */
export const refuses = (status: number, ids: ReadonlySet<string>): Manner => ({
  answer: (request, response) => response.writeHead(ids.has(String(request.headers["webhook-id"])) ? status : 200).end(),
});
export const writes = (text: string, then: (socket: Socket) => void = () => undefined): Manner => ({
  raw(socket) {
    socket.write(text);
    then(socket);
  },
});
/** Takes everything, and says nothing. */
export const silent: Manner = { raw: () => undefined };

/** Opens one, with TLS if there is a certificate. */
export async function openReceiver(first: Manner = good, papers?: { cert: string; key: string }): Promise<Receiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let manner = first;
  const listen: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      if ("answer" in manner) manner.answer(request, response);
      else manner.raw(request.socket);
    });
  };
  const server: Server = papers === undefined ? createServer(listen) : createTlsServer(papers, listen);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listenOn(server);
  return {
    url: `${papers === undefined ? "http" : "https"}://127.0.0.1:${port}/hook`,
    received,
    ids: () => received.map(({ headers }) => headers["webhook-id"] ?? ""),
    behave(next) {
      manner = next;
    },
    async leave() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** A port of loopback at which nobody listens. */
export async function nobody(): Promise<string> {
  const server = createRawServer();
  const port = await listenOn(server);
  server.close();
  return `http://127.0.0.1:${port}/hook`;
}

async function listenOn(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
