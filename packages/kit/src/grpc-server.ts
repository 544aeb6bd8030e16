import type { EventEmitter } from "node:events";
import {
  type handleUnaryCall,
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { HealthImplementation } from "grpc-health-check";
import { checkAccess } from "./access.ts";
import type { RecordRefusal } from "./audit-refusals.ts";
import { type CallContext, withCallContext } from "./call-context.ts";
import { DEFAULT_DEADLINE_MS } from "./deadline.ts";
import { AppError, badRequest, toStatus } from "./errors.ts";
import { type RemoteAddressOf, userAgentOf } from "./forwarding.ts";
import { REQUEST_ID } from "./grpc-client.ts";
import type { Caller, Identify } from "./identity.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import { callerOverTls, peerOf } from "./peer.ts";
import { withoutDatabase } from "./postgres.ts";
import { addReflection } from "./reflection.ts";
import { readRequestId, withRequestId } from "./request-id.ts";
import { loadProtos, type RpcRules, rulesOf } from "./rules.ts";
import type { Transport } from "./transport.ts";

/** What a handler knows of its call besides the request. */
export interface Call {
  caller: Caller;
  /** When the caller stops waiting, in ms since 1970. */
  deadline: number;
  /** Ends when the caller goes away or, for a stream, when its access token does. */
  signal: AbortSignal;
}

interface Definition {
  path: string;
  requestStream: false;
  responseStream: boolean;
  requestDeserialize(value: Buffer): object;
  responseDeserialize(value: Buffer): object;
}
type Definitions = Readonly<Record<string, Definition>>;

/**
 * A handler for every rpc of a service, typed from ts-proto's definition of it. A missing one does not compile.
 * That of a stream resolves when the stream is live: only then are its metadata sent, so that a client knows.
 */
export type Handlers<S extends Definitions> = {
  readonly [M in keyof S]: S[M]["responseStream"] extends true
    ? (request: ReturnType<S[M]["requestDeserialize"]>, call: Call) => Promise<AsyncIterable<ReturnType<S[M]["responseDeserialize"]>>>
    : (request: ReturnType<S[M]["requestDeserialize"]>, call: Call) => Promise<ReturnType<S[M]["responseDeserialize"]>>;
};

type AnyHandler = (request: object, call: Call) => Promise<object | AsyncIterable<object>>;

/** A service and what answers it. */
export interface Registration {
  definition: Definitions;
  handlers: Readonly<Record<string, AnyHandler>>;
}

/** Binds handlers to their service. */
export function serve<S extends Definitions>(definition: S, handlers: Handlers<S>): Registration {
  // Each handler was held to its own rpc above; from here on they are all alike.
  return { definition, handlers: handlers as unknown as Readonly<Record<string, AnyHandler>> };
}

export interface GrpcServerOptions {
  /** host:port; port 0 means any free one. */
  address: string;
  transport: Transport;
  /** The .proto files of the services, as in `import`. */
  protoFiles: readonly string[];
  registrations: readonly Registration[];
  identify: Identify;
  remoteAddressOf: RemoteAddressOf;
  /** Keeps the refusals of rpcs with side effects in the audit log. */
  recordRefusal: RecordRefusal;
  health: HealthImplementation;
}

/** The full names of the services, as health and reflection know them. */
export function serviceNames(registrations: readonly Registration[]): string[] {
  return registrations.flatMap(({ definition }) =>
    Object.values(definition)
      .slice(0, 1)
      .map(({ path }) => path.split("/")[1] ?? ""),
  );
}

/**
 * Serves gRPC with health and reflection, and answers the address that it listens on.
 * Every call of ours is identified, held to the rpc's access rule and field rules, given a deadline, logged, and its failures made statuses.
 * Throws if an rpc has no access rule or a rule that we do not know.
 */
export async function serveGrpc(
  { address, protoFiles, registrations, health, ...manners }: GrpcServerOptions,
  stack: Stack,
  log: Logger,
): Promise<string> {
  const server = new Server({ "grpc.max_receive_message_length": 4 * 1024 * 1024, "grpc.enable_channelz": 0 });
  const root = loadProtos(protoFiles);
  for (const { definition, handlers } of registrations) {
    const entries = Object.entries(definition).map(([name, rpc]) => {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`${rpc.path} has no handler`);
      return [name, adapt(rpc, handler, rulesOf(root, rpc.path), manners, log)] as const;
    });
    // grpc-js wants its own idea of a definition; ts-proto's is one, but for names in the types.
    server.addService(definition as unknown as Parameters<Server["addService"]>[0], Object.fromEntries(entries));
  }
  health.addToServer(server);
  addReflection(server, [...serviceNames(registrations), "grpc.health.v1.Health"]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, manners.transport.server, (err, bound) => (err === null ? resolve(bound) : reject(err)));
  });
  stack.defer("grpc", () => shutdown(server));
  return `${address.slice(0, address.lastIndexOf(":"))}:${port}`;
}

/** Streams never end by themselves, so what is still open a second after the last unary call is cut. */
const STREAM_GRACE_MS = 1_000;

function shutdown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), STREAM_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

type AnyCall = ServerUnaryCall<object, object> | ServerWritableStream<object, object>;

type Manners = Pick<GrpcServerOptions, "transport" | "identify" | "remoteAddressOf" | "recordRefusal">;

const ANONYMOUS: Caller = { kind: "anonymous" };

function adapt(
  rpc: Definition,
  handler: AnyHandler,
  rules: RpcRules,
  { transport, identify, remoteAddressOf, recordRefusal }: Manners,
  log: Logger,
): UntypedServiceImplementation[string] {
  const name = rpc.path.slice(1);
  const begin = async (call: AnyCall, context: { caller: Caller }): Promise<Call> => {
    const shown = await identify(call.metadata);
    const caller = transport.isSecure ? callerOverTls(shown, call, rules.access) : shown;
    context.caller = caller;
    checkAccess(rules.access, caller, call.request);
    const violations = rules.validate(call.request);
    if (violations.length > 0) throw badRequest(violations);
    let signal: AbortSignal | undefined;
    return {
      caller,
      deadline: deadlineOf(call),
      // Few look at it, and it costs as much as the rest of this.
      get signal() {
        signal ??= signalOf(call, caller, rpc.responseStream);
        return signal;
      },
    };
  };
  const answer = async (
    call: AnyCall,
    work: (inner: Call) => Promise<void>,
    fail: (status: ReturnType<typeof toStatus>) => void,
  ): Promise<void> => {
    const startTime = performance.now();
    const took = (): number => Math.round(performance.now() - startTime);
    const context = contextOf(call, name, transport, remoteAddressOf, rules.audit !== "NOTHING");
    try {
      await withCallContext(context, async () => work(await begin(call, context)));
      log.debug({ rpc: rpc.path, ms: took() }, "served");
    } catch (thrown) {
      const err = withoutDatabase(thrown);
      if (!(err instanceof AppError)) log.error({ err, rpc: rpc.path, ms: took() }, "a bug");
      else if (err.code === "unavailable") log.warn({ err, rpc: rpc.path, ms: took() }, "could not serve");
      else log.info({ rpc: rpc.path, ms: took(), reason: err.reason }, "refused");
      if (err instanceof AppError && rules.audit !== "NOTHING") recordRefusal(context, err, rules.resourceOf(call.request));
      fail(toStatus(err));
    }
  };
  if (rpc.responseStream) {
    return (call: ServerWritableStream<object, object>) => {
      void withRequestId(idOf(call), () =>
        answer(
          call,
          async (inner) => pump((await handler(call.request, inner)) as AsyncIterable<object>, call, inner.signal),
          (status) => call.emit("error", status),
        ),
      );
    };
  }
  const unary: handleUnaryCall<object, object> = (call, callback) => {
    const work = async (inner: Call): Promise<void> => callback(null, await handler(call.request, inner));
    void withRequestId(idOf(call), () => answer(call, work, (status) => callback(status)));
  };
  return unary;
}

/**
 * What is known of a call. Few ask where it came from, so that is worked out when somebody does. If the call may be kept in the audit log, who
 * is at the other end is noted while somebody is.
 */
function contextOf(
  call: AnyCall,
  rpc: string,
  transport: Transport,
  remoteAddressOf: RemoteAddressOf,
  isAudited: boolean,
): CallContext & { caller: Caller } {
  const { metadata } = call;
  const address = isAudited ? call.getPeer() : undefined;
  const peer = transport.isSecure ? peerOf(call) : undefined;
  return {
    caller: ANONYMOUS,
    get remoteAddress() {
      return remoteAddressOf({ metadata, getPeer: () => address ?? call.getPeer() }, peer);
    },
    get userAgent() {
      return userAgentOf({ metadata });
    },
    rpc,
  };
}

/** Writes a stream no faster than it is read. */
async function pump(messages: AsyncIterable<object>, call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<void> {
  call.sendMetadata(new Metadata());
  for await (const message of messages) {
    if (signal.aborted) break;
    if (!call.write(message)) await drained(call, signal);
  }
  if (signal.reason instanceof AppError) throw signal.reason;
  call.end();
}

/** Resolves when more may be written, or when nobody reads any more. Leaves no listener behind: a stream may live for days. */
function drained(call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    call.once("drain", done);
    signal.addEventListener("abort", done);
  });
}

function idOf(call: AnyCall): string {
  return readRequestId(call.metadata.get("traceparent")[0], call.metadata.get(REQUEST_ID)[0]);
}

function deadlineOf(call: AnyCall): number {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? deadline : Date.now() + DEFAULT_DEADLINE_MS;
}

/** What a timer of Node can wait for. A token of another provider may live longer; its stream does not. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function signalOf(call: AnyCall, caller: Caller, isStream: boolean): AbortSignal {
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
  return controller.signal;
}
