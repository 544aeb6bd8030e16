import type { DeleteChargerRequest, DeleteChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { removeCharger } from "../domain/charger.ts";
import type { RpcDeps } from "./deps.ts";

/** Forgets a charger, and closes its connection. */
export const deleteCharger =
  ({ db, commander }: RpcDeps) =>
  async ({ id }: DeleteChargerRequest): Promise<DeleteChargerResponse> => {
    await removeCharger(db, id);
    await commander.disconnect(id, "DELETED");
    return {};
  };
