import { BadRequest, type BadRequest_FieldViolation, ErrorInfo, RetryInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";

/** Every failure a caller may act on. Anything else is a bug, and leaves the process as INTERNAL. */
export const codes = {
  invalidArgument: status.INVALID_ARGUMENT,
  failedPrecondition: status.FAILED_PRECONDITION,
  notFound: status.NOT_FOUND,
  alreadyExists: status.ALREADY_EXISTS,
  aborted: status.ABORTED,
  unauthenticated: status.UNAUTHENTICATED,
  permissionDenied: status.PERMISSION_DENIED,
  resourceExhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  deadlineExceeded: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
} as const;

export type Code = keyof typeof codes;

/** A field of the request and what is wrong with it. `field` is the path in the words of the .proto: "charger.display_name". */
export interface FieldViolation {
  field: string;
  description: string;
}

interface AppErrorOptions {
  cause?: unknown;
  violations?: readonly FieldViolation[];
  /** When it is worth to try again, from now in ms. */
  retryAfterMs?: number;
}

/** `reason` is for programs (docs/errors.md lists them), the message for people, `cause` for our logs only. */
export class AppError extends Error {
  readonly code: Code;
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, reason: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The request breaks rules; names each field. */
export function badRequest(violations: readonly FieldViolation[]): AppError {
  const message = violations.map(({ field, description }) => `${field} ${description}`).join("; ");
  return new AppError("invalidArgument", "INVALID_FIELD", message, { violations });
}

const DOMAIN = "chargemesh";
const TYPE_URL = "type.googleapis.com/";

/** A failure as gRPC carries it (AIP-193). What is not an AppError says nothing of itself. */
export function toStatus(err: unknown): Pick<StatusObject, "code" | "details" | "metadata"> {
  const error = err instanceof AppError ? err : undefined;
  const code = error === undefined ? status.INTERNAL : codes[error.code];
  const message = error?.message ?? "Something went wrong on our side.";
  const info: ErrorInfo = { reason: error?.reason ?? "INTERNAL", domain: DOMAIN, metadata: {} };
  const details = [{ typeUrl: TYPE_URL + ErrorInfo.$type, value: Buffer.from(ErrorInfo.encode(info).finish()) }];
  if (error !== undefined && error.violations.length > 0) {
    const fieldViolations: BadRequest_FieldViolation[] = error.violations.map((v) => ({ ...v, reason: "", localizedMessage: undefined }));
    details.push({ typeUrl: TYPE_URL + BadRequest.$type, value: Buffer.from(BadRequest.encode({ fieldViolations }).finish()) });
  }
  if (error?.retryAfterMs !== undefined) details.push({ typeUrl: TYPE_URL + RetryInfo.$type, value: encodeRetryInfo(error.retryAfterMs) });
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}

/** In whole seconds, for that is what the Retry-After of HTTP has; none too few. */
function encodeRetryInfo(ms: number): Buffer<ArrayBuffer> {
  return Buffer.from(RetryInfo.encode({ retryDelay: { seconds: Math.max(1, Math.ceil(ms / 1000)), nanos: 0 } }).finish());
}
