import { type IncomingMessage, Agent as PlainAgent, type RequestOptions, request as requestPlain } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isIn, isPublicAddress, type Networks } from "./address.ts";
import type { Resolve } from "./resolve.ts";

/** What is posted, and where. */
export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What came of it. */
export interface Outcome {
  /** Undefined if there was no answer. */
  status: number | undefined;
  /** What went wrong. Empty if nothing did: an answer with a 2xx status came, and came whole, or to the limit of what is read. */
  error: string;
  /** How the answer began. */
  response: string;
  retryAfter: string | undefined;
  durationMs: number;
}

/** Posts something and says what came of it. Rejects only when `signal` has stopped it. */
export type Send = (post: Post, signal: AbortSignal) => Promise<Outcome>;

export interface SendDeps {
  /** Where addresses that are not public may be called, and plain http spoken. */
  allowedNetworks: Networks;
  /** How long an attempt may take in all, in ms. */
  timeoutMs: number;
  resolve: Resolve;
}

/** More than this of an answer is not read: it is for whoever looks for the reason of a failure. */
const ANSWER_BYTES_MAX = 65_536;
/** And no more than this is kept. */
const ANSWER_BYTES_KEPT = 1_024;

// Each attempt has a connection of its own, to an address that was checked for it. No session is resumed: the name would not be checked
// again. Proxies that the environment names are not asked; they would connect to what they think the name is.
const agents = { plain: new PlainAgent({ keepAlive: false }), tls: new TlsAgent({ keepAlive: false, maxCachedSessions: 0 }) };

/** How far an attempt has come, as what is said of one that takes too long. */
type Phase = "no connection" | "no answer" | "the answer did not end";

/** Posts to public addresses and those of allowed networks, and to nobody else, whatever a name or a redirect says. */
export function makeSend({ allowedNetworks, timeoutMs, resolve }: SendDeps): Send {
  return async (post, signal) => {
    const start = performance.now();
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, timeout]);
    let phase: Phase = "no connection";
    let answer: IncomingMessage | undefined;
    const began: Buffer[] = [];
    let error = "";
    try {
      const url = new URL(post.url);
      const addresses = await orAborted(addressesOf(url, resolve, either), either);
      refuse(url, addresses, allowedNetworks);
      answer = await exchange(url, post, addresses, either, () => {
        phase = "no answer";
      });
      phase = "the answer did not end";
      await readStart(answer, began);
    } catch (err) {
      signal.throwIfAborted();
      error = timeout.aborted ? `${phase} within ${timeoutMs / 1_000} s` : reasonOf(err);
    }
    return {
      status: answer?.statusCode,
      error: faultOf(answer) ?? error,
      response: Buffer.concat(began).subarray(0, ANSWER_BYTES_KEPT).toString("utf8"),
      retryAfter: answer?.headers["retry-after"],
      durationMs: Math.round(performance.now() - start),
    };
  };
}

/** What `work` says, if that is before `signal` does. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** In other spellings than the usual one, addresses are no longer: URL has read them. */
async function addressesOf({ hostname }: URL, resolve: Resolve, signal: AbortSignal): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? resolve(host, signal) : [host];
}

/** Throws an Error that says why, unless all of the addresses may be called so. */
function refuse({ protocol, hostname }: URL, addresses: readonly string[], allowed: Networks): void {
  const refused = addresses.find((address) => !isPublicAddress(address, allowed));
  const named = hostname === refused ? "" : `${hostname} leads to `;
  if (refused !== undefined) throw new Error(`refused: ${named}${refused}, which is no public address`);
  if (addresses.length === 0) throw new Error(`${hostname} has no address`);
  const isPlain = protocol !== "https:";
  if (isPlain && !addresses.every((address) => isIn(allowed, address)))
    throw new Error("refused: plain http, outside of the networks allowed");
}

/** Connects to one of the addresses, posts, and resolves when the answer begins. */
function exchange(
  url: URL,
  { headers, body }: Post,
  addresses: readonly string[],
  signal: AbortSignal,
  connected: () => void,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options: RequestOptions = { method: "POST", headers, signal, lookup: answerOf(addresses) };
  const isTls = url.protocol === "https:";
  const request = isTls ? requestTls(url, { ...options, agent: agents.tls }) : requestPlain(url, { ...options, agent: agents.plain });
  request.once("socket", (socket) => socket.once(isTls ? "secureConnect" : "connect", connected));
  request.once("response", resolve);
  // What goes wrong after the answer has begun is heard of while it is read.
  request.on("error", reject);
  request.once("close", () => reject(new Error("closed the connection without an answer")));
  request.end(body);
  return promise;
}

/** Says these addresses of any name. */
function answerOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, callback) => {
    const [first] = all;
    if (options.all === true) callback(null, all);
    else callback(null, first?.address ?? "", first?.family);
  };
}

/** Reads an answer until it ends, or there is more than anybody will read. Throws if it breaks off. */
async function readStart(answer: IncomingMessage, began: Buffer[]): Promise<void> {
  let bytes = 0;
  for await (const chunk of answer) {
    began.push(chunk);
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes >= ANSWER_BYTES_MAX) return;
  }
}

/** What an answer says is wrong by its status; undefined if nothing is. */
function faultOf(answer: IncomingMessage | undefined): string | undefined {
  const { statusCode: status = 200, headers } = answer ?? {};
  if (status >= 200 && status < 300) return undefined;
  const isRedirect = status >= 300 && status < 400 && headers?.location !== undefined;
  return isRedirect ? `answered ${status}: redirects, to ${headers.location}, are not followed` : `answered ${status}`;
}

function reasonOf(err: unknown): string {
  // Of several addresses that were tried, the first.
  if (err instanceof AggregateError) return reasonOf(err.errors[0]);
  if (!(err instanceof Error)) return String(err);
  const code = "code" in err ? String(err.code) : "";
  if (code === "ECONNRESET" || code === "EPIPE") return "closed the connection before the answer was whole";
  if (code === "ENOTFOUND" || code === "ENODATA") return "there is no such host";
  if (code === "EPROTO") return "there is no TLS there";
  return code.startsWith("HPE_") ? `answered no HTTP: ${err.message}` : err.message;
}
