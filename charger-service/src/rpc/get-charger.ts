import type { GetChargerRequest, GetChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { chargerById, connectorsOf } from "../db/charger.ts";
import { noCharger } from "../domain/command.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const getCharger =
  ({ db }: RpcDeps) =>
  async ({ id }: GetChargerRequest): Promise<GetChargerResponse> => {
    const [row, connectors] = await Promise.all([chargerById(db, id), connectorsOf(db, [id])]);
    if (row === undefined) throw noCharger(id);
    return { charger: toCharger(row, connectors) };
  };
