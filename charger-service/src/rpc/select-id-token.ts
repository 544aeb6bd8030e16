import type { SelectIdTokenRequest, SelectIdTokenResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import { choose } from "../domain/local-list-choice.ts";
import { toLocalList } from "../resources/local-list.ts";
import type { RpcDeps } from "./deps.ts";

/** Chooses an id token for the list of a charger. */
export const selectIdToken =
  ({ db }: RpcDeps) =>
  async ({ chargerId, idToken }: SelectIdTokenRequest): Promise<SelectIdTokenResponse> => ({
    localList: toLocalList(await choose(db, chargerId, idToken, true)),
  });
