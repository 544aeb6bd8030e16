import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { AppError, codes } from "./errors.ts";
import { newRequestId, requestId } from "./request-id.ts";
import type { Transport } from "./transport.ts";

/** The metadata key of the id that follows a request through all services. */
export const REQUEST_ID = "x-request-id";

/** How every channel of ours is balanced and kept alive: over all addresses of the target, leaving out those that fail (decision 14). */
export const channelOptions: ChannelOptions = {
  "grpc.service_config": JSON.stringify({
    loadBalancingConfig: [
      { outlier_detection: { consecutive_5xx_ejection: {}, failure_percentage_ejection: {}, child_policy: [{ round_robin: {} }] } },
    ],
  }),
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  // Nobody asks for its counters.
  "grpc.enable_channelz": 0,
};

type ClientConstructor<C extends Client> = new (target: string, credentials: ChannelCredentials, options: ChannelOptions) => C;

/**
 * Opens a channel to a service. It connects by itself, now or later; close it with `close()`. `callee` is the service of ours that has to be
 * there; undefined if it is somebody else's.
 */
export function openClient<C extends Client>(
  Constructor: ClientConstructor<C>,
  target: string,
  transport: Transport,
  callee: string | undefined,
): C {
  const { credentials, options } = transport.channelTo(callee);
  return new Constructor(target, credentials, { ...channelOptions, ...options });
}

type Unary<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: CallOptions,
  callback: (err: ServiceError | null, response: Res) => void,
) => unknown;

/**
 * Calls a unary rpc of another service. `deadline` in ms since 1970.
 * What fails is an AppError with the callee's code; a failure inside the callee is UNAVAILABLE for us.
 */
export function callUnary<Req, Res>(
  method: Unary<Req, Res>,
  request: Req,
  options: { deadline: number; metadata?: Metadata },
): Promise<Res> {
  const metadata = options.metadata ?? new Metadata();
  metadata.set(REQUEST_ID, requestId() ?? newRequestId());
  return new Promise((resolve, reject) => {
    method(request, metadata, { deadline: options.deadline }, (err, response) => {
      if (err === null) resolve(response);
      else reject(fromServiceError(err));
    });
  });
}

function fromServiceError(cause: ServiceError): AppError {
  const code = (Object.keys(codes) as (keyof typeof codes)[]).find((name) => codes[name] === cause.code);
  if (code === undefined || cause.code === status.CANCELLED)
    return new AppError("unavailable", "CALLEE_FAILED", "A service that this needs failed.", { cause });
  return new AppError(code, "CALLEE_REFUSED", cause.details, { cause });
}
