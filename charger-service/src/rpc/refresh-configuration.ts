import type { RefreshConfigurationRequest, RefreshConfigurationResponse } from "@chargemesh/contracts/charger/v1/configuration_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { readConfiguration } from "../domain/configuration-reading.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Reads all that a charger is set to. */
export const refreshConfiguration =
  (deps: RpcDeps) =>
  async ({ chargerId, waitSeconds }: RefreshConfigurationRequest, { caller, deadline }: Call): Promise<RefreshConfigurationResponse> => ({
    command: toCommand(await readConfiguration(deps, chargerId, readWaitSeconds(waitSeconds, deadline), userOf(caller))),
  });
