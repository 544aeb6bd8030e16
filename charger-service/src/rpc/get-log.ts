import type { GetLogRequest, GetLogResponse } from "@chargemesh/contracts/charger/v1/upload_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { askForUpload } from "../domain/upload-request.ts";
import { toUpload } from "../resources/file.ts";
import { readAsking, readPeriod } from "./asking.ts";
import type { RpcDeps } from "./deps.ts";

/** Asks a charger for a log. */
export const getLog =
  (deps: RpcDeps) =>
  async (request: GetLogRequest, call: Call): Promise<GetLogResponse> => {
    const { kind, retries, retryIntervalSeconds } = request;
    if (kind !== "DIAGNOSTICS_LOG" && kind !== "SECURITY_LOG") {
      throw badRequest([{ field: "kind", description: "must be DIAGNOSTICS_LOG or SECURITY_LOG" }]);
    }
    const wanted = { kind, ...readPeriod(request), retries, retryIntervalSeconds };
    return { upload: toUpload(await askForUpload(deps, readAsking(request, call), wanted)) };
  };
