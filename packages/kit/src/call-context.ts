import type { Caller } from "./identity.ts";
import { type Served, served } from "./request-id.ts";

/** The call that is being served: what an audit or a limit wants to know of it wherever it is. */
export interface CallContext extends Served {
  /** Anonymous until the caller is known. */
  readonly caller: Caller;
  /** The address of the person's or program's end: the peer's, or what the gateway says of whom it calls for. */
  readonly remoteAddress: string;
  /** The program at that end, by its own word; empty if it says nothing. */
  readonly userAgent: string;
  /** The full name: "chargemesh.auth.v1.UserService/LogIn". */
  readonly rpc: string;
}

/** The call that is being served; undefined outside of one, as in a consumer of events. */
export function callContext(): CallContext | undefined {
  const what = served();
  return what !== undefined && isCall(what) ? what : undefined;
}

function isCall(what: Served): what is CallContext {
  return "rpc" in what;
}
