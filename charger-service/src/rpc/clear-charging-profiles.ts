import type {
  ClearChargingProfilesRequest,
  ClearChargingProfilesResponse,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { chargerById } from "../db/charger.ts";
import { filterOfAssignment } from "../domain/assignment.ts";
import { noCharger } from "../domain/command.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, said, userOf } from "./request.ts";

/** Has a charger forget charging profiles. */
export const clearChargingProfiles =
  ({ db, commander }: RpcDeps) =>
  async (request: ClearChargingProfilesRequest, { caller, deadline }: Call): Promise<ClearChargingProfilesResponse> => {
    const { chargerId, assignmentId, connectorId, purpose, stackLevel, ttlSeconds, idempotencyKey } = request;
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    const filter =
      assignmentId === "" ? { connectorId, purpose: said(purpose), stackLevel } : await filterOfAssignment(db, chargerId, assignmentId);
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds, idempotencyKey, userId: userOf(caller) };
    const question = { kind: "clearChargingProfiles", filter } as const;
    return { command: toCommand(await commander.ask({ ...asking, question, field: "connector_id" })) };
  };
