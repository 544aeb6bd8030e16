import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { Asking } from "../domain/command.ts";
import { readTime, readWaitSeconds, userOf } from "./request.ts";

/** What a request that asks something of a charger says of how. */
interface AskingRequest {
  chargerId: string;
  waitSeconds: number;
  ttlSeconds: number;
  idempotencyKey: string;
}

/** How a charger is to be asked. DEADLINE_EXCEEDED if it is too late to begin. */
export function readAsking(request: AskingRequest, { caller, deadline }: Call): Asking {
  const { chargerId, waitSeconds, ttlSeconds, idempotencyKey } = request;
  return { chargerId, waitSeconds: readWaitSeconds(waitSeconds, deadline), ttlSeconds, idempotencyKey, userId: userOf(caller) };
}

/** The entries of a log that are wanted. INVALID_ARGUMENT if they end before they begin. */
export function readPeriod(request: { logStartTime: Date | undefined; logStopTime: Date | undefined }) {
  const logStartTime = request.logStartTime && readTime("log_start_time", request.logStartTime);
  const logStopTime = request.logStopTime && readTime("log_stop_time", request.logStopTime);
  if (logStartTime !== undefined && logStopTime !== undefined && logStopTime < logStartTime) {
    throw badRequest([{ field: "log_stop_time", description: "must not be before log_start_time" }]);
  }
  return { logStartTime, logStopTime };
}
