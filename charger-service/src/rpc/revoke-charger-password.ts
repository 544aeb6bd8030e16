import type { RevokeChargerPasswordRequest, RevokeChargerPasswordResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { connectorsOf } from "../db/charger.ts";
import { REVOKED, revokePassword } from "../domain/credential.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

/** Revokes every password of a charger, and closes its connection. */
export const revokeChargerPassword =
  ({ db, commander, clock }: RpcDeps) =>
  async ({ id }: RevokeChargerPasswordRequest): Promise<RevokeChargerPasswordResponse> => {
    const { charger, epoch } = await revokePassword(db, id, clock.now());
    await commander.disconnect(id, REVOKED, epoch);
    return { charger: toCharger(charger, await connectorsOf(db, [id])) };
  };
