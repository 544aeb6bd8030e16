import type {
  CancelChargerPasswordRotationRequest,
  CancelChargerPasswordRotationResponse,
} from "@chargemesh/contracts/charger/v1/charger_service";
import { connectorsOf } from "../db/charger.ts";
import { cancelRotations } from "../domain/credential.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";

export const cancelChargerPasswordRotation =
  ({ db }: RpcDeps) =>
  async ({ id }: CancelChargerPasswordRotationRequest): Promise<CancelChargerPasswordRotationResponse> => ({
    charger: toCharger(await cancelRotations(db, id), await connectorsOf(db, [id])),
  });
