import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can be cut: TCP, passed on as it comes. */
export interface Link {
  /** The server's URL by way of the link. */
  url: string;
  /** Breaks what is connected and refuses who comes, as if the server had gone. */
  cut(): void;
  /** Breaks what is connected, takes whoever comes and says nothing to them, as if the server were too busy. */
  silence(): void;
  /** Lets everybody through again. */
  mend(): void;
  close(): Promise<void>;
}

export async function openLink(url: string): Promise<Link> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let state: "open" | "cut" | "silent" = "open";
  const server = createServer((inner) => {
    if (state === "cut") {
      inner.resetAndDestroy();
      return;
    }
    if (state === "silent") {
      sockets.add(inner);
      inner.on("error", () => inner.destroy());
      inner.on("close", () => sockets.delete(inner));
      return;
    }
    const outer = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
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
  const breakAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: through.href,
    cut() {
      state = "cut";
      breakAll();
    },
    silence() {
      state = "silent";
      breakAll();
    },
    mend() {
      state = "open";
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      breakAll();
      await closed;
    },
  };
}
