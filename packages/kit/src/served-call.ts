import type { EventEmitter } from "node:events";
import type { ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import type { CallContext } from "./call-context.ts";
import { DEFAULT_DEADLINE_MS } from "./deadline.ts";
import { AppError } from "./errors.ts";
import { type RemoteAddressOf, userAgentOf } from "./forwarding.ts";
import { REQUEST_ID } from "./grpc-client.ts";
import type { Caller } from "./identity.ts";
import { type Peer, peerOf } from "./peer.ts";
import { readRequestId } from "./request-id.ts";
import type { Transport } from "./transport.ts";

export type AnyCall = ServerUnaryCall<object, object> | ServerWritableStream<object, object>;

/** What a handler knows of its call besides the request. */
export interface Call {
  caller: Caller;
  /** When the caller stops waiting, in ms since 1970. */
  deadline: number;
  /** Ends when the caller goes away or, for a stream, when its access token does. */
  signal: AbortSignal;
  /** What the caller's metadata say under `name`; "" if they say nothing. */
  metadata(name: string): string;
}

/** What is the same for all calls of an rpc. */
export interface ServedRpc {
  /** The full name: "chargemesh.auth.v1.UserService/LogIn". */
  readonly rpc: string;
  readonly isStream: boolean;
  /** Whether the audit log may keep its calls. */
  readonly isAudited: boolean;
  readonly transport: Transport;
  readonly remoteAddressOf: RemoteAddressOf;
}

const ANONYMOUS: Caller = { kind: "anonymous" };

/** A call while it is served. What few ask for is worked out when somebody does: together it costs as much as a small call. */
export class ServedCall implements Call, CallContext {
  caller: Caller = ANONYMOUS;
  readonly #call: AnyCall;
  readonly #rpc: ServedRpc;
  /** Who is at the other end, noted while somebody is. */
  readonly #address: string | undefined;
  readonly #peer: Peer | undefined;
  #requestId: string | undefined;
  #controller: AbortController | undefined;

  constructor(call: AnyCall, rpc: ServedRpc) {
    this.#call = call;
    this.#rpc = rpc;
    this.#address = rpc.isAudited ? call.getPeer() : undefined;
    this.#peer = rpc.transport.isSecure ? peerOf(call) : undefined;
  }

  get rpc(): string {
    return this.#rpc.rpc;
  }

  get remoteAddress(): string {
    const getPeer = (): string => this.#address ?? this.#call.getPeer();
    return this.#rpc.remoteAddressOf({ metadata: this.#call.metadata, getPeer }, this.#peer);
  }

  get userAgent(): string {
    return userAgentOf(this.#call);
  }

  get requestId(): string {
    this.#requestId ??= idOf(this.#call);
    return this.#requestId;
  }

  get deadline(): number {
    const deadline = Number(this.#call.getDeadline());
    return Number.isFinite(deadline) ? deadline : Date.now() + DEFAULT_DEADLINE_MS;
  }

  metadata(name: string): string {
    return String(this.#call.metadata.get(name)[0] ?? "");
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Ends a stream, for this reason. */
  end(reason: AppError): void {
    this.#ending.abort(reason);
  }

  get #ending(): AbortController {
    this.#controller ??= endingOf(this.#call, this.caller, this.#rpc.isStream);
    return this.#controller;
  }
}

function idOf({ metadata }: AnyCall): string {
  return readRequestId(metadata.get("traceparent")[0], metadata.get(REQUEST_ID)[0]);
}

/** What a timer of Node can wait for. A token of another provider may live longer; its stream does not. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function endingOf(call: AnyCall, caller: Caller, isStream: boolean): AbortController {
  const controller = new AbortController();
  const events: EventEmitter = call;
  events.on("cancelled", () => controller.abort());
  // It may have happened while we found out who calls.
  if (call.cancelled) controller.abort();
  if (isStream && caller.kind === "user") {
    const expired = new AppError("unauthenticated", "TOKEN_EXPIRED", "The access token has expired.");
    const timer = setTimeout(() => controller.abort(expired), Math.min(caller.expireTime - Date.now(), TIMER_MAX_MS));
    events.on("close", () => clearTimeout(timer));
    controller.signal.addEventListener("abort", () => clearTimeout(timer));
  }
  return controller;
}
