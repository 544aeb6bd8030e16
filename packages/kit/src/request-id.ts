import { AsyncLocalStorage } from "node:async_hooks";

/** Something that is being served, and what all that comes of it may ask. */
export interface Served {
  /** Follows the request through logs, calls and events. */
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

/** The id of the request that is being served. */
export function requestId(): string | undefined {
  return served()?.requestId;
}

/** Runs `work` as part of the request `id`. */
export function withRequestId<T>(id: string, work: () => T): T {
  return whileServing({ requestId: id }, work);
}
