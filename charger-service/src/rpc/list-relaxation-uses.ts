import type { ListRelaxationUsesRequest, ListRelaxationUsesResponse } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { relaxationUsesOf } from "../db/relaxation.ts";
import { toRelaxationUse } from "../resources/relaxation.ts";
import type { RpcDeps } from "./deps.ts";

export const listRelaxationUses =
  ({ db }: RpcDeps) =>
  async ({ chargerId }: ListRelaxationUsesRequest): Promise<ListRelaxationUsesResponse> => ({
    relaxationUses: (await relaxationUsesOf(db, chargerId)).map(toRelaxationUse),
  });
