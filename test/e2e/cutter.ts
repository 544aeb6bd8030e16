import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server on which connections break. */
export interface Cutter {
  /** host:port of the way. */
  readonly address: string;
  /** How many connections it has cut. */
  cuts(): number;
  close(): Promise<void>;
}

/** Numbers from 0 to 1 that are the same each time (xorshift32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Cuts each of the first `most` connections to `target` after so many bytes of the server's as `bytes` says, wherever that is. */
export async function openCutter(target: string, most: number, bytes: () => number): Promise<Cutter> {
  const [host = "", port = ""] = target.split(":");
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((inner) => {
    const outer = connect(Number(port), host);
    let left = bytes();
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
    inner.pipe(outer);
    outer.on("data", (chunk: Buffer) => {
      if (cuts >= most || chunk.length < left) {
        left -= chunk.length;
        inner.write(chunk);
        return;
      }
      outer.destroy();
      if (inner.destroyed) return;
      cuts++;
      // Half of them politely, half of them not.
      if (cuts % 2 === 0) inner.end(chunk.subarray(0, left));
      else inner.write(chunk.subarray(0, left), () => inner.resetAndDestroy());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the cutter has no port");
  return {
    address: `127.0.0.1:${bound.port}`,
    cuts: () => cuts,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
