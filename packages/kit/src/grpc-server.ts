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
import { AppError, badRequest, toStatus } from "./errors.ts";
import type { RemoteAddressOf } from "./forwarding.ts";
import type { Identify } from "./identity.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import { callerOverTls } from "./peer.ts";
import { withoutDatabase } from "./postgres.ts";
import { addReflection } from "./reflection.ts";
import { whileServing } from "./request-id.ts";
import { loadProtos, type RpcRules, rulesOf } from "./rules.ts";
import { type AnyCall, type Call, ServedCall, type ServedRpc } from "./served-call.ts";
import type { Transport } from "./transport.ts";
import { readable, Unreadable } from "./unreadable.ts";

export type { Call };

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
  const streams = new Set<ServedCall>();
  for (const { definition, handlers } of registrations) {
    const entries = Object.entries(definition).map(([name, rpc]) => {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`${rpc.path} has no handler`);
      const rules = rulesOf(root, rpc.path);
      const definition = { ...rpc, requestDeserialize: readable(rules.request, rpc.requestDeserialize) };
      return { name, definition, handler: adapt(rpc, handler, rules, { ...manners, streams }, log) };
    });
    const definitions = Object.fromEntries(entries.map((entry) => [entry.name, entry.definition]));
    // grpc-js wants its own idea of a definition; ts-proto's is one, but for names in the types.
    server.addService(
      definitions as unknown as Parameters<Server["addService"]>[0],
      Object.fromEntries(entries.map((entry) => [entry.name, entry.handler])),
    );
  }
  health.addToServer(server);
  addReflection(server, [...serviceNames(registrations), "grpc.health.v1.Health"]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, manners.transport.server, (err, bound) => (err === null ? resolve(bound) : reject(err)));
  });
  stack.defer("grpc", () => shutdown(server, streams));
  return `${address.slice(0, address.lastIndexOf(":"))}:${port}`;
}

/** Streams never end by themselves, so what is still open a second after the stop began is ended; one that nobody reads, a second later. */
const STREAM_GRACE_MS = 1_000;

/**
 * Resolves when all calls have ended. grpc-js ends connections by force only where it counts what goes over them (`grpc.enable_channelz`), which
 * costs each call, so streams are ended one by one; who does not even take that in loses the connection with the process.
 */
function shutdown(server: Server, streams: ReadonlySet<ServedCall>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      for (const stream of streams) stream.end(new AppError("unavailable", "STOPPING", "The service is stopping. Try again."));
      timer = setTimeout(resolve, STREAM_GRACE_MS);
    };
    let timer = setTimeout(end, STREAM_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

type Manners = Pick<GrpcServerOptions, "transport" | "identify" | "remoteAddressOf" | "recordRefusal"> & {
  /** The streams that are being served. */
  streams: Set<ServedCall>;
};

function adapt(
  { path, responseStream }: Definition,
  handler: AnyHandler,
  rules: RpcRules,
  { transport, identify, remoteAddressOf, recordRefusal, streams }: Manners,
  log: Logger,
): UntypedServiceImplementation[string] {
  const isAudited = rules.audit !== "NOTHING";
  const rpc: ServedRpc = { rpc: path.slice(1), isStream: responseStream, isAudited, transport, remoteAddressOf };
  /** The answer of the handler, once the caller is known and held to the rules. */
  const answer = async (call: AnyCall, served: ServedCall): Promise<object> => {
    const shown = identify(call.metadata);
    // Most are known already, and a turn of the queue would cost more than to find that out.
    const known = shown instanceof Promise ? await shown : shown;
    const caller = transport.isSecure ? callerOverTls(known, call, rules.access) : known;
    served.caller = caller;
    checkAccess(rules.access, caller, call.request);
    if (call.request instanceof Unreadable) throw call.request.refusal;
    const violations = rules.validate(call.request);
    if (violations.length > 0) throw badRequest(violations);
    return handler(call.request, served);
  };
  const statusOf = (thrown: unknown, call: AnyCall, served: ServedCall, startTime: number): ReturnType<typeof toStatus> => {
    const err = withoutDatabase(thrown);
    const ms = msSince(startTime);
    if (!(err instanceof AppError)) log.error({ err, rpc: path, ms }, "a bug");
    else if (err.code === "unavailable") log.warn({ err, rpc: path, ms }, "could not serve");
    else log.info({ rpc: path, ms, reason: err.reason }, "refused");
    if (err instanceof AppError && isAudited) recordRefusal(served, err, rules.resourceOf(call.request));
    return toStatus(err);
  };
  const toServed = (startTime: number): void => {
    if (log.isLevelEnabled("debug")) log.debug({ rpc: path, ms: msSince(startTime) }, "served");
  };
  const stream = async (call: ServerWritableStream<object, object>, served: ServedCall): Promise<void> => {
    const startTime = performance.now();
    streams.add(served);
    try {
      const messages = await answer(call, served);
      await pump(messages as AsyncIterable<object>, call, served.signal);
      toServed(startTime);
    } catch (thrown) {
      call.emit("error", statusOf(thrown, call, served, startTime));
    } finally {
      streams.delete(served);
    }
  };
  const unary = async (
    call: ServerUnaryCall<object, object>,
    served: ServedCall,
    callback: Parameters<handleUnaryCall<object, object>>[1],
  ): Promise<void> => {
    const startTime = performance.now();
    try {
      callback(null, await answer(call, served));
      toServed(startTime);
    } catch (thrown) {
      callback(statusOf(thrown, call, served, startTime));
    }
  };
  if (responseStream) {
    return (call: ServerWritableStream<object, object>) => {
      const served = new ServedCall(call, rpc);
      void whileServing(served, stream, call, served);
    };
  }
  const serveUnary: handleUnaryCall<object, object> = (call, callback) => {
    const served = new ServedCall(call, rpc);
    void whileServing(served, unary, call, served, callback);
  };
  return serveUnary;
}

function msSince(startTime: number): number {
  return Math.round(performance.now() - startTime);
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
