import { ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";

/** The codes of gRPC, each at its number. */
const codes = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export type ErrorCode = (typeof codes)[number];

/** A field that is at fault, and what is wrong with it. */
export interface FieldViolation {
  /** Its path: as in JSON over REST (`displayName`), as in the .proto file over gRPC (`charger.display_name`). */
  readonly field: string;
  readonly description: string;
}

/** A call that failed, the same over REST and gRPC. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** For programs, such as `CHARGER_NOT_FOUND`; docs/errors.md lists them. "" if the failure came from no service of ours. */
  readonly reason: string;
  readonly fieldViolations: readonly FieldViolation[];

  private constructor(cause: ConnectError) {
    super(cause.rawMessage, { cause });
    this.code = codes[cause.code] ?? "UNKNOWN";
    this.reason = cause.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
    this.fieldViolations = cause
      .findDetails(BadRequestSchema)
      .flatMap((details) => details.fieldViolations.map(({ field, description }) => ({ field, description })));
  }

  /** Whatever was thrown, as an ApiError. */
  static from(thrown: unknown): ApiError {
    return thrown instanceof ApiError ? thrown : new ApiError(ConnectError.from(thrown));
  }
}

/** The code of that name, as a number. */
export function codeNumber(name: unknown): number {
  const known: readonly unknown[] = codes;
  const number = known.indexOf(name);
  return number > 0 ? number : codes.indexOf("UNKNOWN");
}
