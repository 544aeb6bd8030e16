import type { DeselectIdTokenRequest, DeselectIdTokenResponse } from "@chargemesh/contracts/charger/v1/local_list_service";
import { choose } from "../domain/local-list-choice.ts";
import { toLocalList } from "../resources/local-list.ts";
import type { RpcDeps } from "./deps.ts";

/** Chooses an id token for the list of a charger no longer. */
export const deselectIdToken =
  ({ db }: RpcDeps) =>
  async ({ chargerId, idToken }: DeselectIdTokenRequest): Promise<DeselectIdTokenResponse> => ({
    localList: toLocalList(await choose(db, chargerId, idToken, false)),
  });
