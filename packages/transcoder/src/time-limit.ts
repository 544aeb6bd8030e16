import type { IncomingHttpHeaders } from "node:http";
import { RestError } from "./errors.ts";

/** What gRPC's own header counts in, in ms. */
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/**
 * How long the caller will wait, in ms: `grpc-timeout` as gRPC writes it (`500m`), or `x-request-timeout` in seconds (`1.5`, `1.5s`). The
 * shorter one counts. Undefined if neither is there. Throws 400 if one is something else.
 */
export function timeLimitOf(headers: IncomingHttpHeaders): number | undefined {
  const grpc = headers["grpc-timeout"];
  const ours = headers["x-request-timeout"];
  if (grpc === undefined && ours === undefined) return undefined;
  return Math.min(
    grpc === undefined ? Number.POSITIVE_INFINITY : grpcLimit(String(grpc)),
    ours === undefined ? Number.POSITIVE_INFINITY : secondsLimit(String(ours)),
  );
}

function grpcLimit(text: string): number {
  const [, value, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  if (value === undefined) throw invalidHeader("grpc-timeout", "at most eight digits and one of H, M, S, m, u, n");
  return Number(value) * (units[unit] ?? 1);
}

function secondsLimit(text: string): number {
  const [, value] = /^(\d{1,8}(?:\.\d{1,9})?)s?$/.exec(text) ?? [];
  if (value === undefined) throw invalidHeader("x-request-timeout", "seconds, such as 1.5");
  return Number(value) * 1_000;
}

function invalidHeader(name: string, rule: string): RestError {
  return new RestError({ code: "INVALID_ARGUMENT", reason: "INVALID_HEADER", message: `${name} must be ${rule}.` });
}
