import type { SyncLocalListRequest, SyncLocalListResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { existingList } from "../domain/local-list-choice.ts";
import { syncList } from "../domain/local-list-sending.ts";
import { toLocalList } from "../resources/local-list.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Tells a charger what its list lacks, now. */
export const syncLocalList =
  (deps: RpcDeps) =>
  async (request: SyncLocalListRequest, { caller, deadline }: Call): Promise<SyncLocalListResponse> => {
    const { chargerId, replace } = request;
    await existingList(deps.db, chargerId);
    await syncList(deps, chargerId, replace, readWaitSeconds(request.waitSeconds, deadline), userOf(caller));
    return { localList: toLocalList(await existingList(deps.db, chargerId)) };
  };
