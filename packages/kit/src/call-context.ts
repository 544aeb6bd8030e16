import { AsyncLocalStorage } from "node:async_hooks";
import type { Caller } from "./identity.ts";

/** The call that is being served: what an audit or a limit wants to know of it wherever it is. */
export interface CallContext {
  /** Anonymous until the caller is known. */
  readonly caller: Caller;
  /** The address of the person's or program's end: the peer's, or what the gateway says of whom it calls for. */
  readonly remoteAddress: string;
  /** The program at that end, by its own word; empty if it says nothing. */
  readonly userAgent: string;
  /** The full name: "chargemesh.auth.v1.UserService/LogIn". */
  readonly rpc: string;
}

const storage = new AsyncLocalStorage<CallContext>();

/** The call that is being served; undefined outside of one, as in a consumer of events. */
export function callContext(): CallContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and all that comes of it, as part of a call. */
export function withCallContext<T>(context: CallContext, work: () => T): T {
  return storage.run(context, work);
}
