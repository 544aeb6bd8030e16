import { connect, createServer, type Socket } from "node:net";

/** An answer of the database that is held back. */
export interface Snare {
  /** Lets it arrive. */
  pass(): void;
  /** Breaks the connection instead. */
  lose(): void;
}

/** The wire between a service and its database, which a test can cut. */
export interface Wire {
  /** The same database, over this wire. */
  url: string;
  /** How many connections have been refused since it was cut. */
  readonly refused: number;
  /** Breaks every connection and refuses new ones, until it is mended. */
  cut(): void;
  mend(): void;
  /** Resolves when the service has said all this on one connection, one after the other, and the database has answered the last. */
  intercept(...said: string[]): Promise<Snare>;
  close(): Promise<void>;
}

interface Trap {
  said: readonly string[];
  sprung(snare: Snare): void;
}

/** What a client has the database do, in SQL: statements as they are, and those prepared before, which are only named ("Frontend/Backend Protocol"). */
function statementsIn(chunk: Buffer, prepared: Map<string, string>): string {
  const said: string[] = [];
  for (let at = 0; at + 5 <= chunk.length; ) {
    const type = String.fromCharCode(chunk[at] ?? 0);
    const end = at + 1 + chunk.readUInt32BE(at + 1);
    const [first = "", second = ""] = chunk
      .subarray(at + 5, end)
      .toString("latin1")
      .split("\0", 2);
    if (type === "Q") said.push(first);
    if (type === "P") prepared.set(first, second);
    if (type === "B") said.push(prepared.get(second) ?? "");
    at = end;
  }
  return said.join("\n");
}

/** Lays one to the database at `url`. */
export async function layWire(url: string): Promise<Wire> {
  const target = new URL(url);
  const open = new Set<Socket>();
  let isCut = false;
  let refused = 0;
  let trap: Trap | undefined;
  /** The trap, if this connection has just sprung it. */
  const watch = (): ((chunk: Buffer) => Trap | undefined) => {
    const progress = new Map<Trap, number>();
    const prepared = new Map<string, string>();
    return (chunk) => {
      const statements = statementsIn(chunk, prepared);
      if (trap === undefined) return undefined;
      let heard = progress.get(trap) ?? 0;
      while (heard < trap.said.length && statements.includes(trap.said[heard] ?? "")) heard++;
      progress.set(trap, heard);
      if (heard < trap.said.length) return undefined;
      const sprung = trap;
      trap = undefined;
      return sprung;
    };
  };
  const server = createServer((near) => {
    near.on("error", () => undefined);
    if (isCut) {
      refused++;
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    far.on("error", () => undefined);
    const springs = watch();
    let sprung: Trap | undefined;
    let held: (string | Buffer)[] | undefined;
    near.on("data", (chunk: Buffer) => {
      sprung ??= springs(chunk);
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (held !== undefined) held.push(chunk);
      else if (sprung === undefined) near.write(chunk);
      else {
        const answers = [chunk];
        held = answers;
        const pass = (): void => {
          held = undefined;
          sprung = undefined;
          for (const answer of answers) near.write(answer);
        };
        sprung.sprung({ pass, lose: () => near.destroy() });
      }
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
    intercept: (...said) =>
      new Promise((resolve) => {
        trap = { said, sprung: resolve };
      }),
    close() {
      breakAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
