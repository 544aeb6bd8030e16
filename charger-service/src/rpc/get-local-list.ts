import type { GetLocalListRequest, GetLocalListResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import { existingList } from "../domain/local-list-choice.ts";
import { toLocalList } from "../resources/local-list.ts";
import type { RpcDeps } from "./deps.ts";

export const getLocalList =
  ({ db }: RpcDeps) =>
  async ({ chargerId }: GetLocalListRequest): Promise<GetLocalListResponse> => ({
    localList: toLocalList(await existingList(db, chargerId)),
  });
