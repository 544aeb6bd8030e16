import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";

/** Something that is being served, and what all that comes of it may ask. */
export interface Served {
  /** The id of the request. */
  readonly requestId: string;
}

const storage = new AsyncLocalStorage<Served>();

/** What is being served; undefined outside of that. */
export function served(): Served | undefined {
  return storage.getStore();
}

/** Runs `work(...args)`, and all that comes of it, as part of `what`. */
export function whileServing<T, A extends unknown[]>(what: Served, work: (...args: A) => T, ...args: A): T {
  return storage.run(what, work, ...args);
}

/** The id of the request that is being served; it follows the request through logs, calls, events and frames. */
export function requestId(): string | undefined {
  return served()?.requestId;
}

/** Runs `work` as part of the request `id`. */
export function withRequestId<T>(id: string, work: () => T): T {
  return whileServing({ requestId: id }, work);
}

export function newRequestId(): string {
  return randomUUID();
}

/** W3C Trace Context, section 3.2: version, trace, span, flags. Version ff is none, zeros are no ids, and later versions may say more. */
const TRACEPARENT = /^(?:00(?=.{53}$)|(?!00|ff)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

/**
 * The id of a request from outside: that of the trace which its `traceparent` names, so that it has one name everywhere; else the caller's own
 * `x-request-id`, if it is fit to be logged; else a new one.
 */
export function readRequestId(traceparent: unknown, own: unknown): string {
  const trace = typeof traceparent === "string" ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  if (trace !== undefined) return trace;
  return typeof own === "string" && /^[\w.:-]{1,128}$/.test(own) ? own : newRequestId();
}

/** A `traceparent` for what comes of a request; `cause` is a UUID of what it comes of at once. Undefined if the id is none of a trace. */
export function traceparentOf(id: string, cause: string): string | undefined {
  const trace = id.replaceAll("-", "");
  // Nobody records spans here, hence the flags.
  return /^[0-9a-f]{32}$/.test(trace) ? `00-${trace}-${cause.replaceAll("-", "").slice(0, 16)}-00` : undefined;
}
