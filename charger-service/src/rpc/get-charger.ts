import type { GetChargerRequest, GetChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { chargerView } from "../db/charger.ts";
import { noCharger } from "../domain/command.ts";
import { toCharger, withoutCredential } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const getCharger =
  ({ db }: RpcDeps) =>
  async ({ id }: GetChargerRequest, { caller }: Call): Promise<GetChargerResponse> => {
    const view = await chargerView(db, id);
    if (view === undefined) throw noCharger(id);
    const charger = toCharger(view.charger, view.connectors);
    return { charger: limitedTo(caller) === undefined ? charger : withoutCredential(charger) };
  };
