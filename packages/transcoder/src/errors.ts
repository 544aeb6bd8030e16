import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { type Code, codeOfHttp, codes } from "./http-status.ts";
import { JsonFault } from "./json-cursor.ts";

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";

export interface FieldViolation {
  /** The path of the field as the caller wrote it, such as `tags[2].name`. */
  readonly field: string;
  readonly description: string;
}

/** A `google.rpc.*` message in JSON. */
export type ErrorDetail = { readonly "@type": string } & Readonly<Record<string, unknown>>;

/** The one shape of an error over REST: a google.rpc.Status as AIP-193 has it. */
export interface ErrorBody {
  readonly error: { readonly code: number; readonly status: Code; readonly message: string; readonly details: readonly ErrorDetail[] };
}

/** What went wrong, for a caller. */
export interface Failure {
  readonly code: Code;
  /** For programs, in UPPER_SNAKE_CASE: goes into google.rpc.ErrorInfo. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  /** Where HTTP is more exact than the code: 405, 406, 413, 415 … */
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A failure to throw: handlers and hooks may, and `errorHandler` answers it. */
export class RestError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** The body of an error answer. `domain` says whose reasons these are. */
export function errorBody({ code, reason, message, metadata, violations, httpStatus }: Failure, domain: string): ErrorBody {
  const details: ErrorDetail[] = [{ "@type": ERROR_INFO, reason, domain, ...(metadata && { metadata }) }];
  if (violations !== undefined) details.push({ "@type": BAD_REQUEST, fieldViolations: violations });
  return { error: { code: httpStatus ?? codes[code].http, status: code, message, details } };
}

/** Answers with an error. */
export function sendError(reply: FastifyReply, body: ErrorBody, headers: Readonly<Record<string, string>> = {}): FastifyReply {
  const challenge = body.error.code === 401 ? { "www-authenticate": "Bearer" } : {};
  return reply
    .code(body.error.code)
    .headers({ ...challenge, ...headers })
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(body));
}

/**
 * A Fastify error handler, for `setErrorHandler` and for `frameworkErrors`: answers everything that is thrown in the one shape. What is
 * no fault of the caller's is logged, and said to be INTERNAL and nothing else.
 */
export function errorHandler(domain: string) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const failure = failureOf(error);
    if ((failure.httpStatus ?? codes[failure.code].http) >= 500) request.log.error({ err: error }, "request failed");
    return sendError(reply, errorBody(failure, domain), failure.headers);
  };
}

/** A Fastify not-found handler, in the one shape. */
export function notFoundHandler(domain: string) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => sendError(reply, errorBody(notFound(request.method), domain));
}

export function notFound(method: string): Failure {
  return { code: "NOT_FOUND", reason: "ROUTE_NOT_FOUND", message: `There is nothing to ${method} at this path.` };
}

/** What is said of a fault of our own, whatever it was. */
export const internal: Failure = { code: "INTERNAL", reason: "INTERNAL", message: "Something went wrong on our side." };

/** What is said instead of messages about our machinery: addresses, queues, time-outs. */
export const quiet: Readonly<Partial<Record<Code, string>>> = {
  UNAVAILABLE: "The service is not available at the moment.",
  DEADLINE_EXCEEDED: "The service did not answer in time.",
  CANCELLED: "The call was cancelled.",
};

const known: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
  FST_ERR_BAD_URL: "MALFORMED_URL",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "INVALID_CONTENT_LENGTH",
};

function failureOf(error: FastifyError | Error): Failure {
  if (error instanceof RestError) return error.failure;
  if (error instanceof JsonFault) return faultFailure(error);
  if (!("statusCode" in error) || error.statusCode === undefined || error.statusCode < 400) return internal;
  const { statusCode } = error;
  const code = codeOfHttp(statusCode);
  if (statusCode >= 500) {
    const message = quiet[code];
    return message === undefined ? internal : { code, reason: code, message, httpStatus: statusCode };
  }
  return { code, reason: known[error.code] ?? code, message: error.message, httpStatus: statusCode };
}

function faultFailure({ reason, path, message }: JsonFault): Failure {
  if (reason === "MALFORMED_JSON") return { code: "INVALID_ARGUMENT", reason, message };
  if (path === "") return { code: "INVALID_ARGUMENT", reason, message: `The body ${message}.` };
  return { code: "INVALID_ARGUMENT", reason, message: `${path} ${message}.`, violations: [{ field: path, description: message }] };
}
