import type { GetDiagnosticsRequest, GetDiagnosticsResponse } from "@chargemesh/contracts/charger/v1/upload_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { askForUpload } from "../domain/upload-request.ts";
import { toUpload } from "../resources/file.ts";
import { readAsking, readPeriod } from "./asking.ts";
import type { RpcDeps } from "./deps.ts";

/** Asks a charger for its diagnostics. */
export const getDiagnostics =
  (deps: RpcDeps) =>
  async (request: GetDiagnosticsRequest, call: Call): Promise<GetDiagnosticsResponse> => {
    const { retries, retryIntervalSeconds } = request;
    const wanted = { kind: "DIAGNOSTICS", ...readPeriod(request), retries, retryIntervalSeconds } as const;
    return { upload: toUpload(await askForUpload(deps, readAsking(request, call), wanted)) };
  };
