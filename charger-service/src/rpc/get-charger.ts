import type { GetChargerRequest, GetChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { chargerById, connectorsOf } from "../db/charger.ts";
import { noCharger } from "../domain/command.ts";
import { toCharger, withoutCredential } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const getCharger =
  ({ db }: RpcDeps) =>
  async ({ id }: GetChargerRequest, { caller }: Call): Promise<GetChargerResponse> => {
    const [row, connectors] = await Promise.all([chargerById(db, id), connectorsOf(db, [id])]);
    if (row === undefined) throw noCharger(id);
    const charger = toCharger(row, connectors);
    return { charger: limitedTo(caller) === undefined ? charger : withoutCredential(charger) };
  };
