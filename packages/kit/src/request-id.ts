import { AsyncLocalStorage } from "node:async_hooks";

const storage = new AsyncLocalStorage<string>();

/** The id of the request that is being served; it follows the request through logs, calls and events. */
export function requestId(): string | undefined {
  return storage.getStore();
}

/** Runs `work` as part of the request `id`. */
export function withRequestId<T>(id: string, work: () => T): T {
  return storage.run(id, work);
}
