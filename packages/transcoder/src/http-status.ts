import { status } from "@grpc/grpc-js";

/** Where gRPC's codes and HTTP's meet, and nowhere else: a row per google.rpc.Code, as google/rpc/code.proto maps them. */
export const codes = {
  OK: { grpc: status.OK, http: 200 },
  CANCELLED: { grpc: status.CANCELLED, http: 499 },
  UNKNOWN: { grpc: status.UNKNOWN, http: 500 },
  INVALID_ARGUMENT: { grpc: status.INVALID_ARGUMENT, http: 400 },
  DEADLINE_EXCEEDED: { grpc: status.DEADLINE_EXCEEDED, http: 504 },
  NOT_FOUND: { grpc: status.NOT_FOUND, http: 404 },
  ALREADY_EXISTS: { grpc: status.ALREADY_EXISTS, http: 409 },
  PERMISSION_DENIED: { grpc: status.PERMISSION_DENIED, http: 403 },
  RESOURCE_EXHAUSTED: { grpc: status.RESOURCE_EXHAUSTED, http: 429 },
  FAILED_PRECONDITION: { grpc: status.FAILED_PRECONDITION, http: 400 },
  ABORTED: { grpc: status.ABORTED, http: 409 },
  OUT_OF_RANGE: { grpc: status.OUT_OF_RANGE, http: 400 },
  UNIMPLEMENTED: { grpc: status.UNIMPLEMENTED, http: 501 },
  INTERNAL: { grpc: status.INTERNAL, http: 500 },
  UNAVAILABLE: { grpc: status.UNAVAILABLE, http: 503 },
  DATA_LOSS: { grpc: status.DATA_LOSS, http: 500 },
  UNAUTHENTICATED: { grpc: status.UNAUTHENTICATED, http: 401 },
} as const;

export type Code = keyof typeof codes;

const names = Object.keys(codes) as Code[];
const byGrpc = new Map<number, Code>(names.map((name) => [codes[name].grpc, name]));

/** The name of a gRPC status code; a number that gRPC does not have is UNKNOWN. */
export function codeOfGrpc(code: number): Code {
  return byGrpc.get(code) ?? "UNKNOWN";
}

/** The code that says best what an HTTP status of somebody else's means. */
export function codeOfHttp(httpStatus: number): Code {
  switch (httpStatus) {
    case 404:
    case 410:
      return "NOT_FOUND";
    case 405:
    case 501:
      return "UNIMPLEMENTED";
    case 408:
    case 504:
      return "DEADLINE_EXCEEDED";
    case 412:
      return "FAILED_PRECONDITION";
    case 502:
    case 503:
      return "UNAVAILABLE";
  }
  const exact = names.find((name) => codes[name].http === httpStatus && codes[name].http !== 400 && codes[name].http !== 500);
  return exact ?? (httpStatus >= 500 ? "INTERNAL" : "INVALID_ARGUMENT");
}
