import { connect, type Socket } from "node:net";

// A process of its own that reads event streams (SSE) over as many connections as it is told, as bare as can be.

/** What it may be told: to open so many, to say when all have read so many events with `marker` in them, to close. */
export type ReadersOrder = { do: "open"; count: number } | { do: "read"; marker: string; each: number } | { do: "close" };
/** That it is done, and when the last event came, in ms since 1970. */
export interface ReadersDone {
  end: number;
}

interface Reader {
  socket: Socket;
  /** The end of what came, where a marker may have begun. */
  rest: Buffer;
  found: number;
}

let readers: Reader[] = [];
let marker = Buffer.from("\u0000");
let missing = 0;
let each = 0;
let done = (): void => undefined;

async function open(count: number): Promise<void> {
  const { hostname, port } = new URL(process.env.BENCH_REST ?? "");
  const request = `GET /ocpp/events HTTP/1.1\r\nhost: ${hostname}\r\naccept: text/event-stream\r\nauthorization: Bearer ${process.env.BENCH_TOKEN}\r\n\r\n`;
  readers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Reader>((resolve, reject) => {
          const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => socket.write(request));
          const reader: Reader = { socket, rest: Buffer.alloc(0), found: 0 };
          socket.once("error", reject);
          socket.once("data", (head) => {
            if (!head.toString("latin1").startsWith("HTTP/1.1 200")) return reject(new Error(head.toString("latin1", 0, 500)));
            socket.on("data", (chunk) => tally(reader, chunk as Buffer));
            resolve(reader);
          });
        }),
    ),
  );
}

function tally(reader: Reader, chunk: Buffer): void {
  const text = reader.rest.length === 0 ? chunk : Buffer.concat([reader.rest, chunk]);
  let at = 0;
  for (let found = text.indexOf(marker); found !== -1; found = text.indexOf(marker, at)) {
    at = found + marker.length;
    if (++reader.found === each && --missing === 0) done();
  }
  reader.rest = Buffer.from(text.subarray(Math.max(at, text.length - marker.length + 1)));
}

function read(text: string, count: number): Promise<void> {
  marker = Buffer.from(text);
  each = count;
  missing = readers.length;
  for (const reader of readers) {
    reader.found = 0;
    reader.rest = Buffer.alloc(0);
  }
  return new Promise((resolve) => {
    done = resolve;
  });
}

process.on("message", (order: ReadersOrder) => {
  const work = async (): Promise<void> => {
    if (order.do === "open") await open(order.count);
    else if (order.do === "read") await read(order.marker, order.each);
    else for (const { socket } of readers.splice(0)) socket.destroy();
  };
  void work().then(() => process.send?.({ end: performance.timeOrigin + performance.now() } satisfies ReadersDone));
});
