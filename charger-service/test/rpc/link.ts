import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server on which what the server says can get stuck and be lost: TCP, passed on as it comes. */
export interface Link {
  /** The server's URL by way of the link. */
  url: string;
  /** Holds back what the server says from now on. */
  stall(): void;
  /** Breaks every connection, with what was held back, and lets new ones through. */
  drop(): void;
  close(): Promise<void>;
}

export async function openLink(url: string): Promise<Link> {
  const target = new URL(url);
  const pairs = new Set<{ inner: Socket; outer: Socket }>();
  const server = createServer((inner) => {
    const outer = connect(Number(target.port), target.hostname);
    const pair = { inner, outer };
    pairs.add(pair);
    inner.pipe(outer);
    outer.pipe(inner);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the link has no port");
  const through = new URL(url);
  through.host = `127.0.0.1:${address.port}`;
  const drop = (): void => {
    for (const { inner } of pairs) inner.resetAndDestroy();
  };
  return {
    url: through.href,
    stall() {
      for (const { inner, outer } of pairs) outer.unpipe(inner).pause();
    },
    drop,
    async close() {
      const closed = once(server, "close");
      server.close();
      drop();
      await closed;
    },
  };
}
