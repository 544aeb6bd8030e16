import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

/** How long a server may take to answer, in ms, before the request counts as lost. */
const ANSWER_MS = 20_000;
/** What came by then is the answer of a stream, which has no end of its own, in ms. */
const STREAM_MS = 50;
/** Who has had no answer by then has sent no whole request, and gives up, in ms. */
const GIVE_UP_MS = 300;

/** What came back; `status` is 0 where the server closed without a word. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes over a connection of their own, and resolves with all that comes back. */
export function exchange(port: number, request: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    let streaming: NodeJS.Timeout | undefined;
    const lost = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer to ${JSON.stringify(request.toString("latin1"))}, but: ${text}`));
    }, ANSWER_MS);
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      if (
        streaming === undefined &&
        /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 2[\s\S]*\r\n(?:content-type: (?:text\/event-stream|application\/x-ndjson)|connection: upgrade)/i.test(
          text,
        )
      )
        streaming = setTimeout(() => socket.destroy(), STREAM_MS);
    });
    // A server that has seen enough may close before it has read all; what it said counts.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(lost);
      clearTimeout(gone);
      clearTimeout(streaming);
      resolve(lastAnswer(text));
    });
    const gone = setTimeout(() => socket.end(), GIVE_UP_MS);
    socket.on("data", () => {
      // That only asks for the body.
      if (!/^HTTP\/1\.1 100 Continue\r\n\r\n$/.test(text)) clearTimeout(gone);
    });
    socket.write(request);
  });
}

/** Of several answers the last: "100 Continue" comes before another, and a request may turn out to be none after its head was answered. */
function lastAnswer(text: string): Answer {
  const end = text.indexOf("\r\n\r\n");
  const body = text.slice(end + 4);
  if (end >= 0 && /^HTTP\/1\.1 \d{3} /.test(body)) return lastAnswer(body);
  const head = text.slice(0, end);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), head, body: decoded(head, body) };
}

/** A body as it was before it was compressed for those who like that. */
function decoded(head: string, body: string): string {
  const encoding = /\r\ncontent-encoding: (gzip|br)/i.exec(head)?.[1];
  if (encoding === undefined || body === "") return body;
  const bytes = Buffer.from(body, "latin1");
  return (encoding === "gzip" ? gunzipSync(bytes) : brotliDecompressSync(bytes)).toString();
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use when nothing is under way, in MiB. */
export function heapInUse(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

export interface Fuzz {
  readonly port: number;
  /** How long to go on. */
  readonly seconds: number;
  next(): Buffer;
  /** What is wrong with an answer; undefined if nothing is. */
  fault(answer: Answer): string | undefined;
  /** Forgets what the test itself keeps. */
  forget(): void;
}

const AT_ONCE = 32;

/** Sends requests until the time is up. Throws with the first one that is answered as it must not be. */
export async function fuzz({
  port,
  seconds,
  next,
  fault,
  forget,
}: Fuzz): Promise<{ requests: number; statuses: Map<number, number>; grownMib: number }> {
  const statuses = new Map<number, number>();
  let requests = 0;
  const round = async (until: number): Promise<void> => {
    while (performance.now() < until) {
      const request = next();
      const answer = await exchange(port, request);
      requests++;
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const wrong = fault(answer);
      if (wrong !== undefined)
        throw new Error(`${wrong}\n${JSON.stringify(request.toString("latin1", 0, 2_000))}\n${answer.head}\n${answer.body}`);
      if (requests % 500 === 0) forget();
    }
  };
  const spend = async (ms: number): Promise<void> => {
    const until = performance.now() + ms;
    await Promise.all(Array.from({ length: AT_ONCE }, () => round(until)));
    forget();
  };
  // Caches and compiled code fill up first.
  await spend(seconds * 400);
  const before = heapInUse();
  await spend(seconds * 600);
  return { requests, statuses, grownMib: heapInUse() - before };
}

/** In the one shape of errors, the code of a failure that is not the caller's and not the edge's: passed on from a service, or from the way to it. */
const passedOn = /"status":"(?:UNIMPLEMENTED|UNAVAILABLE|DEADLINE_EXCEEDED)"/;

/** The fault of an answer that tells of a bug: a 5xx that no service said, or a failure that is not in the one shape. */
export function faultOf({ status, body }: Answer): string | undefined {
  // HEAD has no body to say it.
  const isPassedOn = body === "" ? [501, 503, 504].includes(status) : passedOn.test(body);
  if (status >= 500 && !isPassedOn) return "a fault of the edge";
  // An expectation that nobody meets is answered by Node.
  const isBare = body === "" || status === 417;
  if (status >= 400 && !isBare && !body.startsWith('{"error":{"code":')) return "an error in another shape";
  return undefined;
}
