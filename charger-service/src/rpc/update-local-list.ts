import type { UpdateLocalListRequest, UpdateLocalListResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import { changeMode } from "../domain/local-list-choice.ts";
import { toLocalList } from "../resources/local-list.ts";
import type { RpcDeps } from "./deps.ts";
import { mustSay } from "./request.ts";

/** Says which id tokens are on the list of a charger. */
export const updateLocalList =
  ({ db }: RpcDeps) =>
  async ({ chargerId, mode }: UpdateLocalListRequest): Promise<UpdateLocalListResponse> => ({
    localList: toLocalList(await changeMode(db, chargerId, mustSay("mode", mode))),
  });
