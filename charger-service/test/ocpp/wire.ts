import { connect, createServer, type Socket } from "node:net";

/** The wire between a service and its database, which a test can cut. */
export interface Wire {
  /** The same database, over this wire. */
  url: string;
  /** How many connections have been refused since it was cut. */
  readonly refused: number;
  /** Breaks every connection and refuses new ones, until it is mended. */
  cut(): void;
  mend(): void;
  /** Resolves when the service has committed what began with saying this, and the database has answered; the answer has not arrived. */
  interceptCommit(said: string): Promise<{ lose(): void }>;
  close(): Promise<void>;
}

/** Lays one to the database at `url`. */
export async function layWire(url: string): Promise<Wire> {
  const target = new URL(url);
  const open = new Set<Socket>();
  let isCut = false;
  let refused = 0;
  let trap: { said: string; sprung(snare: { lose(): void }): void } | undefined;
  const server = createServer((near) => {
    near.on("error", () => undefined);
    if (isCut) {
      refused++;
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    let isPrimed = false;
    let sprung: ((snare: { lose(): void }) => void) | undefined;
    far.on("error", () => undefined);
    near.on("data", (chunk) => {
      isPrimed ||= trap !== undefined && chunk.includes(trap.said);
      if (trap !== undefined && isPrimed && chunk.includes("commit")) {
        sprung = trap.sprung;
        trap = undefined;
      }
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (sprung === undefined) near.write(chunk);
      else sprung({ lose: () => near.destroy() });
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const here = new URL(url);
  here.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const breakAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: here.href,
    get refused() {
      return refused;
    },
    cut() {
      isCut = true;
      refused = 0;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    interceptCommit: (said) =>
      new Promise((resolve) => {
        trap = { said, sprung: resolve };
      }),
    close() {
      breakAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
