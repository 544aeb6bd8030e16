import type { ServiceError } from "@grpc/grpc-js";
import type { FastifyBaseLogger } from "fastify";
import { type ErrorBody, type ErrorDetail, errorBody, type Failure, internal, quiet } from "./errors.ts";
import { codeOfGrpc, codes } from "./http-status.ts";
import { anyJson, type Writers } from "./json-writer.ts";
import { WireIn } from "./wire-in.ts";

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";
const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";
const DEBUG_INFO = "type.googleapis.com/google.rpc.DebugInfo";

export interface GrpcErrorSettings {
  readonly writers: Writers;
  readonly domain: string;
  /** Turns a field's path in the words of the .proto into what the caller wrote. */
  callersPath(path: string): string;
}

/**
 * The answer to a call that a service, or the way to it, has failed. The details come from the `grpc-status-details-bin` trailer, a
 * google.rpc.Status. UNKNOWN, INTERNAL and DATA_LOSS are faults on our side: they are logged and say nothing of themselves.
 */
export function grpcErrorBody(error: ServiceError, { writers, domain, callersPath }: GrpcErrorSettings, log: FastifyBaseLogger): ErrorBody {
  const code = codeOfGrpc(error.code);
  if (codes[code].http === 500) {
    log.error({ err: error }, "the service failed");
    return errorBody(internal, domain);
  }
  const details = detailsOf(error, writers, log).map((detail) => inCallersWords(detail, callersPath));
  const message = details.length === 0 ? (quiet[code] ?? error.details) : error.details;
  if (message !== error.details && code !== "CANCELLED") log.warn({ err: error }, "the service could not be reached");
  const failure: Failure = { code, reason: code, message };
  if (details.some((detail) => detail["@type"] === ERROR_INFO)) return { error: { ...errorBody(failure, domain).error, details } };
  const own = errorBody(failure, domain);
  return { error: { ...own.error, details: [...own.error.details, ...details] } };
}

/** The Retry-After header (RFC 9110, 10.2.3), in whole seconds, where a google.rpc.RetryInfo says when to come again. */
export function retryAfter({ error }: ErrorBody): Readonly<Record<string, string>> {
  const delay = error.details.find((detail) => detail["@type"] === RETRY_INFO)?.retryDelay;
  const seconds = typeof delay === "string" ? Number(delay.slice(0, -1)) : Number.NaN;
  return seconds >= 0 ? { "retry-after": String(Math.ceil(seconds)) } : {};
}

/** A google.rpc.BadRequest names fields as the service knows them; the caller wrote them in JSON. */
function inCallersWords(detail: ErrorDetail, callersPath: (path: string) => string): ErrorDetail {
  const { fieldViolations } = detail;
  if (detail["@type"] !== BAD_REQUEST || !Array.isArray(fieldViolations)) return detail;
  return { ...detail, fieldViolations: fieldViolations.map((one) => ({ ...one, field: callersPath(String(one.field)) })) };
}

function detailsOf(error: ServiceError, writers: Writers, log: FastifyBaseLogger): ErrorDetail[] {
  // A call that was never made may lack its metadata, whatever its type says.
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(encoded instanceof Buffer)) return [];
  try {
    return readDetails(encoded, writers, log);
  } catch (err) {
    log.warn({ err }, "grpc-status-details-bin holds no google.rpc.Status");
    return [];
  }
}

function readDetails(encoded: Buffer, writers: Writers, log: FastifyBaseLogger): ErrorDetail[] {
  const details: ErrorDetail[] = [];
  const input = new WireIn(encoded);
  while (input.pos < encoded.length) {
    const tag = input.tag();
    if (tag >>> 3 !== 3) input.skip(tag);
    else {
      const detail = readDetail(input.bytes(), writers, log);
      if (detail !== undefined && detail["@type"] !== DEBUG_INFO) details.push(detail);
    }
  }
  return details;
}

/** One google.protobuf.Any. A message that the protos do not have is left out, and logged. */
function readDetail(encoded: Buffer, writers: Writers, log: FastifyBaseLogger): ErrorDetail | undefined {
  const input = new WireIn(encoded);
  let url = "";
  let content = Buffer.alloc(0);
  while (input.pos < encoded.length) {
    const tag = input.tag();
    if (tag >>> 3 === 1) url = input.text();
    else if (tag >>> 3 === 2) content = Buffer.from(input.bytes());
    else input.skip(tag);
  }
  try {
    return JSON.parse(anyJson(writers, url, content)) as ErrorDetail;
  } catch (err) {
    log.warn({ err, url }, "a detail of an error has no JSON");
    return undefined;
  }
}
