import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** What a load has come to. */
export interface Sample {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time of each process a request, in µs. */
  cpuUs: Record<string, number>;
}

/** Does one call again and again, `lanes` of them at once, for `ms`; each lane begins the next as soon as one is answered. */
export async function measure(lanes: (() => Promise<void>)[], ms: number, processes: Processes): Promise<Sample> {
  const took: number[] = [];
  const before = cpuOf(processes);
  const start = performance.now();
  const end = start + ms;
  await Promise.all(
    lanes.map(async (call) => {
      for (let now = performance.now(); now < end; ) {
        await call();
        const then = performance.now();
        took.push(then - now);
        now = then;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const after = cpuOf(processes);
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  const cpuUs = Object.fromEntries(Object.keys(processes).map((name) => [name, ((after[name] ?? 0) - (before[name] ?? 0)) / took.length]));
  return { perSecond: took.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), cpuUs };
}

/** What is watched, by name: a process, or several that belong together. */
export type Processes = Readonly<Record<string, number | (() => readonly number[])>>;

/** Processor time that has been used, in µs. */
function cpuOf(processes: Processes): Record<string, number> {
  return Object.fromEntries(
    Object.entries(processes).map(([name, one]) => {
      const pids = typeof one === "number" ? [one] : one();
      return [name, pids.reduce((sum, pid) => sum + usedBy(pid), 0)];
    }),
  );
}

/** What all threads of a process have used, in µs, as the scheduler counts it: utime and stime are samples. 0 if it has just ended. */
function usedBy(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const threads = existsSync(folder) ? readdirSync(folder) : [];
  return threads.reduce((sum, thread) => sum + nanoseconds(`${folder}/${thread}/schedstat`) / 1000, 0);
}

function nanoseconds(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, "utf8").split(" ", 1)[0]) : 0;
}

/** Keep-alive connections that GET one path, each a lane. As bare as it can be, so that the generator is not what is measured. */
export async function httpLanes(
  url: string,
  token: string | undefined,
  count: number,
): Promise<{ lanes: (() => Promise<void>)[]; close(): void }> {
  const { hostname, port, pathname, search } = new URL(url);
  const authorization = token === undefined ? "" : `authorization: Bearer ${token}\r\n`;
  const request = Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\n${authorization}\r\n`);
  const sockets = await Promise.all(Array.from({ length: count }, () => open(hostname, Number(port))));
  return { lanes: sockets.map((socket) => laneOf(socket, request)), close: () => sockets.forEach((socket) => void socket.destroy()) };
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

function laneOf(socket: Socket, request: Buffer): () => Promise<void> {
  let answered = (): void => undefined;
  let failed = (_err: Error): void => undefined;
  let missing = 0;
  socket.on("data", (chunk) => {
    if (missing === 0) {
      const head = chunk.indexOf("\r\n\r\n");
      const text = chunk.toString("latin1", 0, head);
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (!text.startsWith("HTTP/1.1 200") || length === undefined) return failed(new Error(`not an answer: ${text}`));
      missing = head + 4 + Number(length);
    }
    missing -= chunk.length;
    if (missing === 0) answered();
  });
  return () =>
    new Promise((resolve, reject) => {
      answered = resolve;
      failed = reject;
      socket.write(request);
    });
}
